/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: firmware has loaded the image to any address, and the addresses in its
 * data have to be set before efi_main() runs. That function's arguments stay on the stack.
 */
#define RELATIVE 8 /* R_386_RELATIVE, the only relocation that ld leaves */

	.text
	.globl _start
_start:	push	%ebx
	push	%esi
	call	here
here:	pop	%eax
	lea	ImageBase - here(%eax), %edx
	lea	rel_start - here(%eax), %ecx
	lea	rel_end - here(%eax), %ebx
next:	cmp	%ebx, %ecx
	jae	done
	mov	(%ecx), %esi		/* where the address in an image at 0 is */
	cmpb	$RELATIVE, 4(%ecx)
	lea	8(%ecx), %ecx
	jne	next
	add	%edx, (%edx, %esi)
	jmp	next
done:	pop	%esi
	pop	%ebx
	jmp	efi_main

	/*
	 * Without relocations for the firmware a program may not be loaded anywhere but at
	 * address 0. This is one block of 12 bytes that has none; some firmware refuses one of 16.
	 */
	.section .base_relocations, "a"
	.long	0, 12
	.short	0, 0
	.section .note.GNU-stack, "", @progbits
