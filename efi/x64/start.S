/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: firmware has loaded the image to any address, and the addresses in its
 * data have to be set before efi_main() runs. Registers rcx and rdx are that function's arguments
 * and stay.
 */
#define RELATIVE 8 /* R_X86_64_RELATIVE, the only relocation that ld leaves */

	.text
	.globl _start
_start:	lea	ImageBase(%rip), %r8
	lea	rela_start(%rip), %r9
	lea	rela_end(%rip), %r10
next:	cmp	%r10, %r9
	jae	efi_main
	mov	(%r9), %r11		/* where */
	mov	16(%r9), %rax		/* the address in an image at 0 */
	cmpl	$RELATIVE, 8(%r9)
	lea	24(%r9), %r9
	jne	next
	add	%r8, %rax
	mov	%rax, (%r8, %r11)
	jmp	next

	/*
	 * Without relocations for the firmware a program may not be loaded anywhere but at
	 * address 0. This is one block of 12 bytes that has none; some firmware refuses one of 16.
	 */
	.section .base_relocations, "a"
	.long	0, 12
	.short	0, 0
	.section .note.GNU-stack, "", @progbits
