; SPDX-License-Identifier: BSD-2-Clause
; The code of a boot sector that looks at the canary, and stops.
	bits 16
	org 0x7c00
	xor ax, ax
	mov ss, ax
	mov sp, 0x7c00
	int 0x60
.stop:
	hlt
	jmp .stop
