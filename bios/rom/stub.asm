; SPDX-License-Identifier: BSD-2-Clause
;
; The image for a BIOS in a card's expansion ROM: a boot entry, BEV, of a Plug and Play ROM
; (Plug and Play BIOS 1.0A, BIOS Boot Specification 1.01). The BIOS copies this one KiB alone into
; the small room it has below 1 MiB. All else stays in the card's flash behind the ROM's images:
; iPXE as Debian has it, nvlnbp.sys, and a script for iPXE. The boot entry copies them into memory
; from where the card's ROM BAR shows the flash, and starts iPXE by Linux's boot protocol, with the
; NBP as its initrd.
;
; scripts/openpreboot-rom fills in what is marked with "the tool", and both checksums.

bits 16
org 0

SIZE		equ 1024
KERNEL_SEGMENT	equ 0x1000		; where the kernel's setup goes
KERNEL		equ 0x100000		; where the rest of it goes
; The NBP goes to the last MiB of memory. iPXE moves itself right below its initrd, and hides itself
; from others' memory map correctly only where the memory above it is the smaller part.
INITRD_16M	equ 0xf00000		; 16 MiB less one, to which the memory above 16 MiB is added
MEMORY_MAX	equ 0xb000		; in 64 KiB: more would end too near 4 GiB
; Of 96 MiB, which must be there, what lies above 16, in 64 KiB. A BIOS may keep the last MiB for
; itself. iPXE hangs where its initrd ends below 64 MiB.
MEMORY_64K	equ (0x5f00000 - 0x1000000) / 0x10000
SCRIPT		equ 0xe000		; in KERNEL_SEGMENT, above its stack
BDA_FREE	equ 0x500		; a word that is in nobody's way, below 1 MiB and above

; Configuration space of a PCI device, by mechanism 1.
CONFIG_ADDRESS	equ 0xcf8
CONFIG_DATA	equ 0xcfc
CONFIG_ENABLE	equ 0x80000000
COMMAND		equ 0x04
COMMAND_MEMORY	equ 2
ROM_BAR		equ 0x30
ROM_BAR_ENABLE	equ 1
ROM_BAR_MASK	equ ~0x7ff & 0xffffffff

; Linux's boot protocol, offsets in the setup.
TYPE_OF_LOADER	equ 0x210
LOADFLAGS	equ 0x211
CAN_USE_HEAP	equ 0x80
RAMDISK_IMAGE	equ 0x218
RAMDISK_SIZE	equ 0x21c
HEAP_END	equ 0x224
CMD_LINE	equ 0x228

rom:
	dw	0xaa55
	db	SIZE / 512
	jmp	near init
sum:	db	0			; the tool; QEMU, if it changes the ids; init
	times 0x18 - ($ - rom) db 0
	dw	pcir, pnp

	align	4, db 0
pcir:
	db	'PCIR'
	dw	0, 0			; the tool: vendor and device
	dw	0, 0x18
	db	0
	db	0, 0, 2			; a network controller, Ethernet
	dw	SIZE / 512
	dw	1
	db	0			; code for a BIOS
	db	0			; the tool: 80h if no image follows
	dw	0

	align	16, db 0
pnp:
	db	'$PnP', 1, 2
	dw	0
	db	0, 0			; the tool: the checksum of this structure
	dd	0
	dw	maker, product
	db	2, 0, 0
	db	0x64			; may be shadowed and cached, is an IPL device
	dw	0, 0, bev, 0, 0

; What lies where in the flash, in bytes, for the tool. All lengths are multiples of 4.
	align	8, db 0
parts:
	db	'OPBROM1', 0
check:	dd	0			; the sum of all parts as 32-bit words, and this, is 0
setup:	dd	0, 0			; offset and length of the kernel's setup,
kernel:	dd	0, 0			; of the rest of it,
nbp:	dd	0, 0			; of nvlnbp.sys, whose own length is here:
nbp_length: dd	0
script:	dd	0, 0			; of the script

maker:	db	'OpenPreboot', 0
product: db	'OpenPreboot, card '
product_bdf: db	'0000', 0
script_start: db 'set card 0x'
script_digits:

	align	8, db 0
gdt:	dq	0, 0x00cf93000000ffff	; data, all 4 GiB
gdt_end:
kept_bdf: dw	0
kept_bar: dd	0

; The BIOS calls it once, in POST: AX is the card's bus, device and function. The memory that holds
; us can be written now, and perhaps not later.
init:
	pushad
	push	ds
	push	cs
	pop	ds
	cld
	mov	[kept_bdf], ax
	mov	dx, ax
	mov	di, product_bdf
	mov	cx, 4
.digit:
	rol	dx, 4
	mov	al, dl
	call	hex_digit
	mov	[di], al
	inc	di
	loop	.digit
	; A BIOS may take the address from the ROM BAR later on; it is free for us nevertheless.
	mov	al, ROM_BAR
	call	config_select
	in	eax, dx
	and	eax, ROM_BAR_MASK
	mov	[kept_bar], eax
	mov	byte [sum], 0
	xor	si, si
	xor	bl, bl
	mov	cx, SIZE
.sum:
	lodsb
	sub	bl, al
	loop	.sum
	mov	[sum], bl
	pop	ds
	popad
	mov	ax, 0x20		; there is a device to boot from
	retf

; The boot entry. Where it fails it says why and returns, and the BIOS goes on to its next device.
bev:
	pushad
	push	ds
	push	es
	push	gs
	cld
	mov	si, said_start
	call	print
	call	count_memory
	mov	si, said_memory
	cmp	bx, MEMORY_64K
	jb	.leave
	cmp	bx, MEMORY_MAX
	jbe	.reachable
	mov	bx, MEMORY_MAX
.reachable:
	mov	gs, bx			; kept there, as no other register is free
	mov	ax, 0x2401		; most BIOSes open A20 at that
	int	0x15
	cli
	call	reach_all
	call	open_a20
	mov	si, said_a20
	jne	.leave

	mov	al, COMMAND
	call	config_select
	in	eax, dx
	push	eax
	or	al, COMMAND_MEMORY
	out	dx, eax
	mov	al, ROM_BAR
	call	config_select
	in	eax, dx
	push	eax
	and	eax, ROM_BAR_MASK
	jnz	.shown
	mov	eax, [cs:kept_bar]
.shown:
	mov	si, said_hidden
	test	eax, eax
	jz	.hide
	mov	ebx, eax
	or	al, ROM_BAR_ENABLE
	out	dx, eax
	call	copy_all
	mov	si, said_damaged
	jnz	.hide
	xor	si, si			; all is well
.hide:
	mov	al, ROM_BAR
	call	config_select
	pop	eax
	out	dx, eax
	mov	al, COMMAND
	call	config_select
	pop	eax
	and	eax, 0xffff		; ones would clear the status, which is beside it
	out	dx, eax
	test	si, si
	jz	start_kernel
.leave:
	call	print
	sti
	pop	gs
	pop	es
	pop	ds
	popad
	retf

; Starts iPXE as a Linux kernel. DS and ES reach all of the memory.
start_kernel:
	mov	ax, KERNEL_SEGMENT
	mov	ds, ax
	mov	byte [TYPE_OF_LOADER], 0xff	; a loader without a number
	or	byte [LOADFLAGS], CAN_USE_HEAP
	mov	eax, [cs:nbp_length]
	mov	[RAMDISK_SIZE], eax
	mov	word [HEAP_END], SCRIPT - 0x200
	mov	dword [CMD_LINE], KERNEL_SEGMENT * 16 + SCRIPT
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	sp, SCRIPT
	jmp	KERNEL_SEGMENT + 0x20:0

; Copies all parts out of the flash at EBX. ZF: their sum is right.
copy_all:
	mov	ebp, [cs:check]
	mov	si, setup
	mov	edi, KERNEL_SEGMENT * 16
	call	copy_part
	mov	si, kernel
	mov	edi, KERNEL
	call	copy_part
	mov	ax, gs
	shl	eax, 16
	add	eax, INITRD_16M
	mov	[dword KERNEL_SEGMENT * 16 + RAMDISK_IMAGE], eax
	mov	edi, eax
	mov	si, nbp
	call	copy_part
	; The script begins with a line that says which card this is, as iPXE writes it.
	mov	edi, KERNEL_SEGMENT * 16 + SCRIPT
	mov	esi, script_start
	mov	ecx, script_digits - script_start
	cs a32 rep movsb
	mov	dx, [cs:kept_bdf]
	mov	cx, 4
.digit:
	rol	dx, 4
	mov	al, dl
	call	hex_digit
	cmp	al, '0'
	jne	.write
	cmp	cx, 1			; the last digit is written in any case,
	je	.write
	a32 cmp	byte [edi - 1], 'x'	; others without zeros before them
	je	.skip
.write:
	a32 stosb
.skip:
	loop	.digit
	mov	al, 10
	a32 stosb
	mov	si, script
	call	copy_part
	test	ebp, ebp
	ret

; Copies the part described at SI to EDI, and adds its words to EBP.
copy_part:
	mov	ecx, [cs:si + 4]
	mov	esi, [cs:si]
	add	esi, ebx
	shr	ecx, 2
	jecxz	.done
.word:
	a32 lodsd
	add	ebp, eax
	a32 stosd
	dec	ecx
	jnz	.word
.done:
	ret

; Returns in BX how many blocks of 64 KiB there are above 16 MiB.
count_memory:
	mov	ax, 0xe801
	xor	bx, bx
	xor	cx, cx
	xor	dx, dx
	int	0x15
	jnc	.answer
	xor	bx, bx
	ret
.answer:
	test	dx, dx			; some BIOSes answer in AX and BX alone
	jz	.done
	mov	bx, dx
.done:
	ret

; Has DS and ES reach all 4 GiB from address 0, in real mode, until something else loads a limit.
reach_all:
	xor	eax, eax
	mov	ax, cs
	shl	eax, 4
	add	eax, gdt
	push	eax
	push	word gdt_end - gdt - 1
	mov	bp, sp
	o32 lgdt [bp]
	add	sp, 6
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	short $ + 2
	mov	cx, 8
	mov	ds, cx
	mov	es, cx
	and	al, 0xfe
	mov	cr0, eax
	jmp	short $ + 2
	xor	cx, cx
	mov	ds, cx
	mov	es, cx
	ret

; Opens A20 by port 92h if the BIOS has not opened it. ZF: it is open. DS is 0.
open_a20:
	mov	dx, 100			; it takes some machines a while
.try:
	mov	edi, BDA_FREE + 0x100000
	mov	ax, [BDA_FREE]
	mov	cx, [edi]
	inc	word [BDA_FREE]
	cmp	cx, [edi]		; unless they are one word
	mov	[BDA_FREE], ax
	je	.done
	in	al, 0x92
	or	al, 2
	and	al, 0xfe		; a one there resets the machine
	out	0x92, al
	dec	dx
	jnz	.try
	or	al, 2			; ZF is 0
.done:
	ret

; Selects register AL of our card's configuration space. Returns DX, its port; changes EAX.
config_select:
	movzx	eax, al
	push	ebx
	movzx	ebx, word [cs:kept_bdf]
	shl	ebx, 8
	or	eax, ebx
	or	eax, CONFIG_ENABLE
	pop	ebx
	mov	dx, CONFIG_ADDRESS
	out	dx, eax
	mov	dx, CONFIG_DATA
	ret

; Turns the low half of AL into a digit.
hex_digit:
	and	al, 0x0f
	cmp	al, 10
	jb	.decimal
	add	al, 'a' - '0' - 10
.decimal:
	add	al, '0'
	ret

; Prints the text at SI of our segment.
print:
	push	si
	mov	si, said_name
	call	.text
	pop	si
.text:
	cs lodsb
	test	al, al
	jz	.done
	mov	ah, 0x0e
	mov	bx, 7
	push	si			; some BIOSes change it
	int	0x10
	pop	si
	jmp	.text
.done:
	ret

said_name:	db 13, 10, 'OpenPreboot: ', 0
said_start:	db "iPXE starts from the card's ROM", 13, 10, 0
said_memory:	db 'less than 96 MiB of memory', 13, 10, 0
said_a20:	db 'A20 stays closed', 13, 10, 0
said_hidden:	db "the BIOS hides the card's flash", 13, 10, 0
said_damaged:	db "the card's flash is damaged", 13, 10, 0

	times SIZE - ($ - rom) db 0
