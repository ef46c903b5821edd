; SPDX-License-Identifier: BSD-2-Clause
; A boot file around an NBP that finds out whether the NBP writes where it may not.
; It takes the last 64 KiB of base memory from the NBP by lowering 40:13, fills them
; with a pattern, and calls the NBP as a PXE ROM does. Nobody else uses that memory,
; so whatever changes there the NBP has changed. INT 60h compares: this program calls
; it after the NBP came back, and a program that the NBP started may.
;   nasm -f bin -DNBP='"nvlnbp.sys"' shim.asm

	bits 16
	org 0x7c00

COM1		equ 0x3f8
LINE_STATUS	equ COM1 + 5
SENDER_EMPTY	equ 0x20
BDA_BASE_MEMORY	equ 0x413		; KiB of base memory
TAKEN		equ 64			; KiB, the last of which holds the code below
LOOK		equ 0x60

start:
	pushfd
	pushad
	push ds
	push es
	push fs
	push gs
	jmp 0:.flat
.flat:
	cld
	xor ax, ax
	mov ds, ax
	mov ax, [BDA_BASE_MEMORY]
	mov [resident + base_memory - code], ax
	sub word [BDA_BASE_MEMORY], TAKEN
	dec ax
	shl ax, 6
	mov es, ax			; the last KiB
	mov [LOOK * 4 + 2], ax
	mov word [LOOK * 4], look - code
	mov si, resident
	xor di, di
	mov cx, code_end - code
	rep movsb
	push es
	mov ax, [BDA_BASE_MEMORY]
	shl ax, 6
	mov es, ax
	xor di, di
	mov cx, (TAKEN - 1) * 512
.word:
	mov ax, di
	xor ax, 0x5aa5
	stosw
	loop .word
	push word run - code
	retf

resident:
	section resident vstart=0 follows=.text align=1
code:
; Everything from here on runs in the last KiB.
run:
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov si, nbp
	mov di, 0x7c00
	mov cx, nbp_end - nbp
	rep movsb
	pop gs
	pop fs
	pop es
	pop ds
	popad
	popfd
	; As the ROM has it: below the return address the far pointer to !PXE.
	push bp
	mov bp, sp
	push word [bp + 8]
	push word [bp + 6]
	mov bp, [bp]
	call 0:0x7c00
	add sp, 6
	int LOOK
	push ds
	push ax
	xor ax, ax
	mov ds, ax
	mov ax, [cs:base_memory]
	mov [BDA_BASE_MEMORY], ax
	pop ax
	pop ds
	retf

; Says on the serial port whether the pattern is whole. Changes no register.
look:
	pusha
	push es
	mov ax, [cs:base_memory]
	sub ax, TAKEN
	shl ax, 6
	mov es, ax
	cld
	xor di, di
	xor bx, bx			; words changed
	mov cx, (TAKEN - 1) * 512
.word:
	mov ax, di
	xor ax, 0x5aa5
	scasw
	je .next
	test bx, bx
	jnz .count
	lea dx, [di - 2]		; the first of them
.count:
	inc bx
.next:
	loop .word
	mov si, intact
	test bx, bx
	jz .say
	mov si, changed
.say:
	call print
	test bx, bx
	jz .done
	mov ax, dx
	call print_hex
	mov si, words
	call print
	mov ax, bx
	call print_hex
.done:
	mov si, line_end
	call print
	pop es
	popa
	iret

print:
	mov al, [cs:si]
	inc si
	test al, al
	jz .end
	call print_byte
	jmp print
.end:
	ret

print_hex:
	mov cx, 4
.digit:
	rol ax, 4
	push ax
	and al, 15
	add al, '0'
	cmp al, '9'
	jbe .put
	add al, 'a' - '9' - 1
.put:
	call print_byte
	pop ax
	loop .digit
	ret

print_byte:
	push dx
	push cx
	push ax
	mov cx, 0xffff			; a missing port must not hang us
	mov dx, LINE_STATUS
.wait:
	in al, dx
	test al, SENDER_EMPTY
	loopz .wait
	pop ax
	mov dx, COM1
	out dx, al
	pop cx
	pop dx
	ret

base_memory	dw 0
line_end	db 13, 10, 0
intact		db 13, 10, 'canary: intact', 0
changed		db 13, 10, 'canary: changed, first at +', 0
words		db 'h, words: ', 0
code_end:

	section image vstart=0x7c00+image_at follows=resident align=1
image_at	equ (resident - start) + (code_end - code)
nbp:
	incbin NBP
nbp_end:
