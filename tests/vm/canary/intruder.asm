; SPDX-License-Identifier: BSD-2-Clause
; An NBP that does what none may: it writes one byte at the end of base memory (40:13).
; It prints the line that the tests take for an NBP's first.
	bits 16
	org 0x7c00
	xor ax, ax
	mov ds, ax
	mov ax, [0x413]
	shl ax, 6
	mov ds, ax
	inc byte [0]
	mov si, text
	cld
.next:
	cs lodsb
	test al, al
	jz .done
	mov dx, 0x3f8
	out dx, al
	jmp .next
.done:
	xor ax, ax
	retf
text	db 'OpenPreboot 0, an intruder', 13, 10, 0
