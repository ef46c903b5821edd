; SPDX-License-Identifier: BSD-2-Clause
; Boot sector of the virtual machines' local disk on BIOS: says that it runs, on
; screen and serial port, and stops. Nothing else on the disk boots.

	bits 16
	org 0x7c00

COM1		equ 0x3f8
LINE_STATUS	equ COM1 + 5
SENDER_EMPTY	equ 0x20

	jmp 0:start			; some BIOSes enter at 07c0:0000
start:
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	sti
	cld
	mov si, text
.next:
	lodsb
	test al, al
	jz .stop
	push ax
	; Where the BIOS copies the screen to the port, once is enough.
	cmp byte [0x10 * 4 + 3], 0xc0	; INT 10h is the video card's
	jne .shown
	mov ah, 0x0e			; teletype output
	mov bx, 7
	push si
	int 0x10
	pop si
.shown:
	pop ax
	mov cx, 0xffff			; a missing port must not hang us
	mov ah, al
.wait:
	mov dx, LINE_STATUS
	in al, dx
	test al, SENDER_EMPTY
	loopz .wait
	mov al, ah
	mov dx, COM1
	out dx, al
	jmp .next
.stop:
	hlt
	jmp .stop

text	db 13, 10, 'local disk: the boot sector runs', 13, 10, 0

	times 446 - ($ - $$) db 0
	; One partition of 4 MiB, as today's tools make it: at 1 MiB.
	db 0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff
	dd 2048, 8192
	times 510 - ($ - $$) db 0
	dw 0xaa55
