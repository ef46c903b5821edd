/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: firmware has loaded the image to any address, and the addresses
 * in its data have to be set before efi_main() runs. Registers x0 and x1 are that function's
 * arguments and stay.
 */
#define RELATIVE 1027 /* R_AARCH64_RELATIVE, the only relocation that ld leaves */

	.text
	.globl _start
_start:	adrp	x2, ImageBase
	add	x2, x2, :lo12:ImageBase
	adrp	x3, rela_start
	add	x3, x3, :lo12:rela_start
	adrp	x4, rela_end
	add	x4, x4, :lo12:rela_end
next:	cmp	x3, x4
	b.hs	efi_main
	ldp	x5, x6, [x3]		/* where, and which kind */
	ldr	x7, [x3, #16]		/* the address in an image at 0 */
	add	x3, x3, #24
	cmp	w6, #RELATIVE
	b.ne	next
	add	x7, x7, x2
	str	x7, [x2, x5]
	b	next

	/*
	 * Without relocations for the firmware a program may not be loaded anywhere but at
	 * address 0. This is one block of 12 bytes that has none; some firmware refuses one of 16.
	 */
	.section .base_relocations, "a"
	.long	0, 12
	.short	0, 0
	.section .note.GNU-stack, "", %progbits
