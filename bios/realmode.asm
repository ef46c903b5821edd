; SPDX-License-Identifier: BSD-2-Clause
;
; The way between 32-bit C and the firmware's real mode. All code here lies below
; 64 KiB and runs with CS = 0, so that offsets are addresses.

%include "bios/realmode.inc"

extern fault_report
extern load_address
extern realmode_esp, realmode_ss, realmode_gdtr

global realmode_call, realmode_return
global realmode_move, realmode_move_end
global realmode_boot, realmode_caught, realmode_caught_end
global realmode_idtr32
global fault_stubs, fault_nmi, fault_idt
global bios_stack_top

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
	LOAD_SEGMENTS SELECTOR_DATA16	; real mode needs its 64 KiB limits
	LEAVE_PROTECTED_MODE
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
	; Only CS is sure to be ours now. MOV and CLI leave the callee's flags alone.
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
	ENTER_PROTECTED_MODE
	jmp	dword SELECTOR_CODE32:.code32
bits 32
.code32:
	LOAD_SEGMENTS SELECTOR_DATA32
	mov	esp, [protected_esp]
	mov	edi, [esp + 28]		; EAX as PUSHAD left it: the caller's r
	mov	esi, call_frame
	mov	ecx, frame_size / 4
	rep	movsd
	popad
	ret

; Exceptions in our own code are bugs, and must still end in local boot. All that
; the processor says of one goes to fault.c. If ESP points to no memory, the
; processor cannot come here, and resets.
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
	mov	esp, bios_stack_top
	cld
	jmp	fault_report
fault_nmi:
	iretd

; ---------------------------------------------------------------------------
; Real-mode code that realmode_call() enters and that never comes back
; ---------------------------------------------------------------------------
bits 16

realmode_return:
	cli
	mov	esp, [cs:realmode_esp]
	RETURN_TO_ROM

; Moves BX paragraphs from DS:0 to ES:0 and starts the program at load_address in
; our place, with the ROM's stack at SS:EDX. This code is copied out of the program's
; way first, so it must not refer to its own address.
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
	RESTORE_ROM_REGISTERS
	jmp	0:load_address
realmode_move_end:

; Starts a boot sector at load_address, with DX and ES:DI as they are.
realmode_boot:
	xor	ax, ax
	mov	ds, ax
	mov	ss, ax
	mov	sp, load_address
	sti
	jmp	0:load_address

; INT 18h and INT 19h come here while a boot sector runs that we started. It has found
; nothing to boot, and may have overwritten the rest of us. This code goes on to the
; BIOS's own INT 18h, then to the ROM. It is copied to a segment of its own.
realmode_caught:
.esp:	dd 0				; struct caught of realmode.h
.ss:	dw 0
.base_memory:	dw 0
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
	mov	ax, [cs:.base_memory - realmode_caught]
	mov	[BDA_BASE_MEMORY], ax
	mov	ss, [cs:.ss - realmode_caught]
	mov	esp, [cs:.esp - realmode_caught]
	sti
	int	0x18
	cli
	mov	ss, [cs:.ss - realmode_caught]
	mov	esp, [cs:.esp - realmode_caught]
	RETURN_TO_ROM
realmode_caught_end:

; ---------------------------------------------------------------------------
	align	4, db 0
realmode_idtr32:
	dw	IDT_ENTRIES * 8 - 1
	dd	fault_idt
real_idtr:
	dw	0x3ff
	dd	0

	align	4, db 0
fault_has_error: dd 0x60227d00		; bit n: vector n pushes an error code
zero:		dd 0
protected_esp:	dd 0
		dd 0, 0			; for an NMI while SS:SP is in call_frame
call_frame:	times frame_size db 0

section .bss nobits alloc write align=16
fault_idt:		resb IDT_ENTRIES * 8
		resd 8			; struct fault of port.h: PUSHAD's eight, then
fault_vector:	resd 1
fault_error:	resd 1
fault_eip:	resd 1
fault_eflags:	resd 1
fault_esp:	resd 1
fault_cr2:	resd 1
		resb STACK_SIZE
bios_stack_top:
