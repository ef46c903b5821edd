; SPDX-License-Identifier: BSD-2-Clause
; An expansion ROM of no card. When the BIOS initializes it, after those of cards, it does to the
; card of the tests what some BIOSes do: takes the address away from its ROM BAR.
	bits 16
	org 0
	dw	0xaa55
	db	1
	jmp	near init
	db	0
	times 0x18 - ($ - $$) db 0
	dw	pcir, 0
pcir:	db	'PCIR'
	dw	0, 0, 0, 0x18
	db	0, 0, 0, 0
	dw	1, 0
	db	0, 0x80
	dw	0

init:	pushad
	mov	eax, 0x80000030 | SLOT << 11
	mov	dx, 0xcf8
	out	dx, eax
	mov	dx, 0xcfc
	xor	eax, eax
	out	dx, eax
	in	eax, dx
	test	eax, eax
	mov	si, hidden
	jz	.print
	mov	si, kept
.print:	cld
.next:	cs lodsb
	test	al, al
	jz	.done
	mov	dx, 0x3f8
	out	dx, al
	jmp	.next
.done:	popad
	xor	ax, ax
	retf

hidden:	db	'hide: the ROM BAR has no address', 13, 10, 0
kept:	db	'hide: the ROM BAR keeps its address', 13, 10, 0
	times 512 - ($ - $$) db 0
