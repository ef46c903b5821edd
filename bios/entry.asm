; SPDX-License-Identifier: BSD-2-Clause
;
; The NBP's first instructions. A PXE ROM loads the file to 0:7C00 and makes a
; far call there (PXE 2.1 section 4.4.5); its registers and stack say where its
; API is. All of them are kept on the ROM's own stack, so that the machine can be
; given back, or handed on, as it came.

%include "bios/realmode.inc"

extern bss_start, bss_dwords
extern unpack, unpack_to, unpack_from, unpack_dwords, unpack_model, unpack_end
extern unpack_before, unpack_size, unpack_stack_end
extern bios_stack_top
extern bios_main
extern realmode_idtr32

global _start
global entry_tsc, entry_cpuid, entry_damaged_end
global realmode_esp, realmode_ss, realmode_gdtr

bits 16
section .entry progbits alloc exec write align=16

; iPXE takes anything without a signature for an NBP, but tries a file that
; begins with "MZ" as an EFI program first; so we begin with a jump over our name.
_start:
	jmp	near start
	db	'OPENPREBOOT NBP', 0
	times PACK_FILE_SIZE - ($ - $$) db 0
file_size:	dw 0			; the packer writes it, and a CRC-32 as the last 4 bytes

start:
	pushfd
	cli
	cld
	pushad
	push	ds
	push	es
	push	fs
	push	gs
	jmp	0:.flat			; some ROMs call 07C0:0000
.flat:
	xor	ax, ax
	mov	ds, ax

	; The time stamp counter is read as early as can be: our clock counts from here.
	pushfd
	pop	eax
	mov	ecx, eax
	xor	eax, 1 << 21		; EFLAGS.ID, which can be changed where CPUID is there
	push	eax
	popfd
	pushfd
	pop	eax
	push	ecx
	popfd
	xor	eax, ecx
	and	eax, 1 << 21
	mov	edi, eax		; not 0: CPUID is there
	mov	ebp, 0			; EBP:ESI will be the counter
	mov	esi, ebp
	jz	.no_tsc
	mov	eax, 1
	cpuid
	test	dl, 1 << 4
	jz	.no_tsc
	rdtsc
	mov	esi, eax
	mov	ebp, edx
.no_tsc:

	; A file cut short or damaged must not be unpacked. Nothing is written, not even our
	; variables, before the CRC-32 over all of the file is right.
	mov	bx, _start
	mov	cx, [file_size]
	or	eax, -1
.byte:
	xor	al, [bx]
	inc	bx
	mov	dl, 8
.bit:
	shr	eax, 1
	jnc	.even
	xor	eax, 0xedb88320
.even:
	dec	dl
	jnz	.bit
	loop	.byte
	cmp	eax, CRC32_RESIDUE
	jne	damaged

	mov	[entry_tsc], esi
	mov	[entry_tsc + 4], ebp
	test	edi, edi
	setnz	[entry_cpuid]
	mov	[realmode_esp], esp
	mov	[realmode_ss], ss

	; A V86 monitor does not let us switch to protected mode.
	mov	si, text_v86
	smsw	ax
	test	al, 1
	jnz	give_up

	; The memory from the file's end to unpack_end was not loaded, so it is not
	; known to be ours. The ROM's stack may not be there either.
	mov	si, text_memory
	movzx	eax, word [BDA_BASE_MEMORY] ; KiB
	shl	eax, 10
	cmp	eax, unpack_end
	jb	give_up
	xor	eax, eax
	mov	ax, ss
	shl	eax, 4
	movzx	ecx, sp
	add	eax, ecx
	cmp	eax, _start
	jb	.fits
	cmp	eax, unpack_stack_end
	jb	give_up
.fits:
	lgdt	[realmode_gdtr]
	ENTER_PROTECTED_MODE
	jmp	dword SELECTOR_CODE32:start32

damaged:
	mov	si, text_damaged
; Prints the text at DS:SI and returns to the ROM.
give_up:
	lodsb
	test	al, al
	jz	.printed
	mov	ah, 0x0e
	mov	bx, 7
	push	si
	int	0x10
	pop	si
	jmp	give_up
.printed:
	RETURN_TO_ROM

text_damaged:
	db	'nvlnbp.sys: cut short or damaged; local boot', 13, 10, 0
entry_damaged_end:

bits 32
start32:
	LOAD_SEGMENTS SELECTOR_DATA32
	mov	esp, bios_stack_top
	mov	esi, unpack_to
	mov	edi, unpack_from
	mov	ecx, unpack_dwords
	rep	movsd
	mov	eax, unpack_from
	movzx	edx, word [file_size]
	sub	edx, unpack_before
	mov	ecx, unpack_to
	push	unpack_model
	push	unpack_size
	call	unpack
	test	eax, eax
	jz	not_unpacked
	lidt	[realmode_idtr32]
	mov	edi, bss_start		; ROMs do not clear it
	mov	ecx, bss_dwords
	xor	eax, eax
	rep	stosd
	jmp	bios_main		; does not return

; Goes back to real mode, whose interrupt vectors are untouched.
not_unpacked:
	jmp	SELECTOR_CODE16:.code16
bits 16
.code16:
	LOAD_SEGMENTS SELECTOR_DATA16
	LEAVE_PROTECTED_MODE
	jmp	0:.real
.real:
	xor	ax, ax
	mov	ds, ax
	mov	ss, [realmode_ss]
	mov	esp, [realmode_esp]
	jmp	damaged

text_v86:
	db	'nvlnbp.sys: the processor is in V86 mode; local boot', 13, 10, 0
text_memory:
	db	'nvlnbp.sys: too little base memory; local boot', 13, 10, 0

; This section lies after the unpacker, so no boot sector is copied over it.
section .resident progbits alloc exec write align=8
gdt:
	dq	0
	dq	0x00cf9b000000ffff	; code32: base 0, 4 GiB
	dq	0x00cf93000000ffff	; data32
	dq	0x00009b000000ffff	; code16: base 0, 64 KiB
	dq	0x000093000000ffff	; data16
gdt_end:
entry_tsc:	dq 0			; 0: there is no counter
realmode_gdtr:
	dw	gdt_end - gdt - 1
	dd	gdt
entry_cpuid:	db 0			; 1: the CPUID instruction is there
	align	4, db 0
realmode_esp:	dd 0			; the ROM's stack with its registers: see realmode.h
realmode_ss:	dd 0
