; SPDX-License-Identifier: BSD-2-Clause
; Stand-ins for Microsoft's pxeboot.0 and bootmgr.exe, which nobody but Microsoft may hand out. They
; ask the PXE API for the same files in the same spelling, print how many bytes came and their CRC-32
; on the serial port, and restart the machine.
;	nasm -DSEGMENT=0x07c0 -DFETCH=...	pxeboot.0: fetches bootmgr.exe and starts it
;	nasm -DSEGMENT=0x2000 -DFETCH=...	bootmgr.exe: fetches FETCH, names with NULs, and restarts
	bits 16
	cpu 386
	org 0

NEXT equ 0x2000			; segment at which bootmgr.exe is put and started
PACKET equ 1432			; bytes of a TFTP packet
COM1 equ 0x3f8

; Functions of the PXE API (PXE 2.1 section 3).
TFTP_OPEN equ 0x20
TFTP_CLOSE equ 0x21
TFTP_READ equ 0x22
GET_CACHED_INFO equ 0x71
CACHED_REPLY equ 3

; Offsets in a BOOTP packet.
SIADDR equ 20
OPTIONS equ 240
POWER_ON equ 225

; Started with a far return address and a pointer to !PXE on the stack.
	jmp SEGMENT:start
start:
	mov bp, sp
	mov ax, cs
	mov ds, ax
	les di, [bp + 4]
	cmp dword [es:di], '!PXE'
	mov si, no_api
	jne failed
	mov eax, [es:di + 16]
	mov [entry], eax
	mov ax, ds
	mov es, ax
	cld

	mov bx, GET_CACHED_INFO
	mov di, info
	call pxe
	mov si, no_reply
	jc failed
	mov eax, [reply + SIADDR]
	mov [open.server], eax
	call print_record

	mov si, files
.each:
	cmp byte [si], 0
	je .done
	call fetch
	jmp .each
.done:
%if SEGMENT = NEXT
	mov si, all_here
	call print
	mov al, 0xfe			; the keyboard controller resets the machine
	out 0x64, al
	jmp $
%else
	jmp NEXT:0			; the stack is as it was
%endif

failed:
	call print
	jmp $

; Fetches the file named at SI, prints what came of it; SI is then behind the name.
fetch:
	mov di, open.name
	push si
.copy:
	lodsb
	stosb
	test al, al
	jnz .copy
	mov [after], si
	mov word [open.port], 69 << 8
	mov word [open.size], PACKET
	mov bx, TFTP_OPEN
	mov di, open
	call pxe
	pop si
	jc .refused
	mov dword [bytes], 0
	mov dword [crc], -1
.packet:
	mov word [read.offset], buffer
	mov [read.segment], ds
	mov bx, TFTP_READ
	mov di, read
	call pxe
	jc .broken
	call take
	mov ax, [read.size]
	cmp ax, [open.size]		; the size that the server agreed to
	je .packet
	mov bx, TFTP_CLOSE
	mov di, close
	call pxe
	push si
	mov si, winpe
	call print
	pop si
	call print
	mov si, colon
	call print
	mov eax, [bytes]
	call print_hex
	mov si, bytes_crc
	call print
	mov eax, [crc]
	not eax
	call print_hex
	mov si, line_end
	call print
	mov si, [after]
	ret
.broken:
	mov bx, TFTP_CLOSE
	mov di, close
	call pxe
.refused:
	push si
	mov si, not_here
	call print
	pop si
	call print
	mov si, line_end
	jmp failed

; Takes a packet: its bytes count, go into the sum and, in pxeboot.0, to where bootmgr.exe is started.
take:
	pushad
	mov si, buffer
	movzx ecx, word [read.size]
	jcxz .done
	mov edx, [crc]
	mov edi, [bytes]
	add [bytes], ecx
%if SEGMENT != NEXT
	push es
	push NEXT
	pop es
%endif
.byte:
	lodsb
%if SEGMENT != NEXT
	mov [es:di], al
	inc di
%endif
	xor dl, al
	mov ah, 8
.bit:
	shr edx, 1
	jnc .next
	xor edx, 0xedb88320
.next:
	dec ah
	jnz .bit
	loop .byte
	mov [crc], edx
%if SEGMENT != NEXT
	pop es
%endif
.done:
	popad
	ret

; Calls function BX with the parameters at DI; carry is set if it fails.
pxe:
	pushad
	push ds
	push es
	push ds
	push di
	push bx
	call far [cs:entry]
	add sp, 6
	pop es
	pop ds
	cmp ax, 1
	cmc
	popad
	ret

; Prints the record that the NBP leaves for Windows in the boot server's reply.
print_record:
	mov si, reply + OPTIONS
.option:
	lodsb
	test al, al
	jz .option
	cmp al, 255
	je .none
	cmp al, POWER_ON
	je .found
	lodsb
	movzx ax, al
	add si, ax
	jmp .option
.found:
	inc si
	push si
	mov si, record
	call print
	pop si
	mov cx, 4
.word:
	lodsd
	xchg al, ah
	rol eax, 16
	xchg al, ah
	call print_hex
	loop .word
	mov si, line_end
	call print
.none:
	ret

; Prints EAX in eight hexadecimal digits.
print_hex:
	push cx
	mov cx, 8
.digit:
	rol eax, 4
	push eax
	and al, 15
	cmp al, 10
	sbb al, 0x69
	das
	or al, 0x20
	call print_character
	pop eax
	loop .digit
	pop cx
	ret

; Prints the text at SI.
print:
	pusha
.next:
	lodsb
	test al, al
	jz .done
	call print_character
	jmp .next
.done:
	popa
	ret

print_character:
	push dx
	push ax
	mov dx, COM1 + 5
.busy:
	in al, dx
	test al, 0x20
	jz .busy
	pop ax
	mov dx, COM1
	out dx, al
	pop dx
	ret

winpe		db 'winpe: ', 0
record		db 'winpe: record ', 0
not_here	db 'winpe: cannot fetch ', 0
colon		db ': ', 0
bytes_crc	db ' bytes, crc ', 0
line_end	db 13, 10, 0
all_here	db 'winpe: all is here', 13, 10, 0
no_api		db 'winpe: no PXE API', 13, 10, 0
no_reply	db 'winpe: no reply is kept', 13, 10, 0
files		db FETCH, 0, 0

	align 4, db 0
entry		dd 0
bytes		dd 0
crc		dd 0
after		dw 0
info:		dw 0, CACHED_REPLY, 1472, reply, SEGMENT, 0
open:		dw 0
.server:	dd 0
		dd 0			; no gateway
.name:		times 128 db 0
.port:		dw 0
.size:		dw 0
read:		dw 0, 0
.size:		dw 0
.offset:	dw 0
.segment:	dw 0
close:		dw 0

	absolute 0x1000
reply		resb 1472
buffer		resb 1472
