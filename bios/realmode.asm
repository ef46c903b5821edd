; SPDX-License-Identifier: BSD-2-Clause
;
; Between 32-bit C and the firmware's real mode. All code here lies below 64
; KiB and runs with CS = 0, so that offsets are addresses.

%include "bios/realmode.inc"

extern bios_fault
extern realmode_esp, realmode_ss, realmode_gdtr

global realmode_call, realmode_return
global realmode_move, realmode_move_end
global realmode_boot, realmode_caught, realmode_caught_end
global realmode_idtr32
global fault_stubs, fault_nmi, idt
global stack_top

STACK_SIZE	equ 24576
IDT_ENTRIES	equ 32

; ---------------------------------------------------------------------------
; void realmode_call(struct realmode *r): see realmode.h
; ---------------------------------------------------------------------------
bits 32
section .text16 progbits alloc exec write align=16
realmode_call:
	pushad
	mov	esi, eax
	mov	edi, call_frame
	mov	ecx, frame_size / 4
	rep	movsd
	mov	[protected_esp], esp
	jmp	SELECTOR_CODE16:.code16
bits 16
.code16:
	mov	ax, SELECTOR_DATA16	; real mode needs the 64 KiB limits
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	eax, cr0
	and	al, 0xfe
	mov	cr0, eax
	jmp	0:.real
.real:
	lidt	[cs:real_idtr]
	xor	ax, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	sp, call_frame
	pop	es
	pop	ds
	popad
	; Some PXE stacks fail on any stack but the one they gave us.
	mov	ss, [cs:realmode_ss]
	mov	esp, [cs:realmode_esp]
	push	word [cs:call_frame + frame.arguments + 4]
	push	word [cs:call_frame + frame.arguments + 2]
	push	word [cs:call_frame + frame.arguments]
	push	dword [cs:call_frame + frame.eflags]
	popfd
	call	far [cs:call_frame + frame.entry]
	; Only CS is sure to be ours now. MOV and CLI leave the other flags alone.
	cli
	mov	ss, [cs:zero]
	mov	esp, call_frame + frame.eflags + 4
	pushfd
	pushad
	push	ds
	push	es
	cld
	lgdt	[cs:realmode_gdtr]
	lidt	[cs:realmode_idtr32]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	dword SELECTOR_CODE32:.code32
bits 32
.code32:
	mov	ax, SELECTOR_DATA32
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	esp, [protected_esp]
	mov	edi, [esp + 28]		; EAX as PUSHAD left it: the caller's r
	mov	esi, call_frame
	mov	ecx, frame_size / 4
	rep	movsd
	popad
	ret

; Exceptions in our own code are bugs; they must still end in local boot. All
; that is known goes to fault.c. Should the stack be no good, the processor
; cannot come here, and resets.
fault_stubs:
%assign vector 0
%rep IDT_ENTRIES
	push	byte vector
	jmp	short fault_common
%assign vector vector + 1
%endrep
fault_common:
	pop	dword [fault_vector]
	push	eax
	mov	eax, [fault_vector]
	bt	[fault_has_error], eax
	pop	eax
	jnc	.no_error
	pop	dword [fault_error]
.no_error:
	pop	dword [fault_eip]
	lea	esp, [esp + 4]		; CS
	pop	dword [fault_eflags]
	mov	[fault_esp], esp
	mov	esp, fault_vector
	pushad
	mov	eax, cr2
	mov	[fault_cr2], eax
	mov	eax, esp
	mov	esp, stack_top
	cld
	jmp	bios_fault
fault_nmi:
	iretd

; ---------------------------------------------------------------------------
; Real-mode code to be entered by realmode_call(), never to come back
; ---------------------------------------------------------------------------
bits 16

; Returns to the ROM with AX = 0, "go on booting", and
; all else as it was when the ROM called us.
realmode_return:
	cli
	mov	esp, [cs:realmode_esp]
	pop	gs
	pop	fs
	pop	es
	pop	ds
	popad
	popfd
	mov	ax, 0
	retf

; Moves BX paragraphs from DS:0 to ES:0 and starts 0:7C00 in our place, with the
; ROM's stack at SS:EDX. It is copied out of its own way first, so must not refer
; to its own address.
realmode_move:
	cld
.chunk:
	mov	ax, 0x0800		; 32 KiB at most in one go
	cmp	bx, ax
	jae	.copy
	mov	ax, bx
.copy:
	mov	cx, ax
	shl	cx, 3			; words
	xor	si, si
	xor	di, di
	rep	movsw
	mov	cx, ds
	add	cx, ax
	mov	ds, cx
	mov	cx, es
	add	cx, ax
	mov	es, cx
	sub	bx, ax
	jnz	.chunk
	mov	esp, edx
	pop	gs
	pop	fs
	pop	es
	pop	ds
	popad
	popfd
	jmp	0:0x7c00
realmode_move_end:

; Starts a boot sector at 0:7C00, with what DX and ES:DI have.
realmode_boot:
	xor	ax, ax
	mov	ds, ax
	mov	ss, ax
	mov	sp, 0x7c00
	sti
	jmp	0:0x7c00

; What INT 18h and INT 19h come to while a boot sector runs that we started: it
; found nothing to boot, and may have overwritten the rest of us. Goes on to the
; BIOS's own INT 18h, then to the ROM. Copied to a segment of its own.
realmode_caught:
.esp:	dd 0				; struct caught of realmode.h
.ss:	dw 0
.mark:	dw 0
.int18:	dd 0
.int19:	dd 0
	cli
	cld
	xor	ax, ax
	mov	ds, ax
	mov	eax, [cs:.int18 - realmode_caught]
	mov	[0x18 * 4], eax
	mov	eax, [cs:.int19 - realmode_caught]
	mov	[0x19 * 4], eax
	mov	ax, [cs:.mark - realmode_caught]
	mov	[0x413], ax
	mov	ss, [cs:.ss - realmode_caught]
	mov	esp, [cs:.esp - realmode_caught]
	sti
	int	0x18
	cli
	mov	ss, [cs:.ss - realmode_caught]
	mov	esp, [cs:.esp - realmode_caught]
	pop	gs
	pop	fs
	pop	es
	pop	ds
	popad
	popfd
	mov	ax, 0
	retf
realmode_caught_end:

; ---------------------------------------------------------------------------
	align	4, db 0
realmode_idtr32:
	dw	IDT_ENTRIES * 8 - 1
	dd	idt
real_idtr:
	dw	0x3ff
	dd	0

	align	4, db 0
fault_has_error: dd 0x60227d00		; by vector: 8, 10 to 14, 17, 21, 29, 30
zero:		dd 0
protected_esp:	dd 0
		dd 0, 0			; room for an NMI while SS:SP is in the frame
call_frame:	times frame_size db 0

section .bss nobits alloc write align=16
idt:		resb IDT_ENTRIES * 8
		resd 8			; struct fault of bios.h: PUSHAD's, then
fault_vector:	resd 1
fault_error:	resd 1
fault_eip:	resd 1
fault_eflags:	resd 1
fault_esp:	resd 1
fault_cr2:	resd 1
		resb STACK_SIZE
stack_top:
