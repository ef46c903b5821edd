# OpenPreboot. "make help" lists what there is to make.

VERSION := 0.1.0
# The processors of the UEFI NBPs, as boot files are named after them.
EFI_ARCHES := x64 ia32 aa64

B := build
# One short line a step; V=1 shows the commands.
Q := $(if $(V),,@)
step = @$(if $(V),:,printf '  %-8s %s\n' $(1) $@)
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all nbps roms rom tools pc machines servers help demo vm test test-unit test-system unit-tests replays \
	test-vm test-long medium soak bench bench-server pictures storm fuzz coverage install uninstall dist deb linux \
	clean FORCE

# The agent for Windows is the same but for its port, and is built where the compiler for it is there,
# as after scripts/install-dependencies.
MINGW ?= x86_64-w64-mingw32-gcc
WINDOWS_PROGRAMS := $(if $(shell command -v $(MINGW) 2>/dev/null),$(B)/prebootwork.exe)

all: nbps roms tools
nbps: $(B)/nvlnbp.sys $(EFI_ARCHES:%=$(B)/nvlnbp%.efi)
# What a virtual machine boots besides the NBP: a PC, and others.
PC := $(B)/vm/initrd $(B)/vm/root $(B)/vm/disk-bios.img $(B)/vm/disk-x64.img
pc: $(PC)
machines: $(PC) $(B)/vm/disk-ia32.img $(B)/vm/disk-aa64.img $(B)/vm/initrd-aa64 $(B)/vm/root-aa64
tools: $(B)/prebootd $(B)/prebootctl $(B)/prebootctl.8 $(B)/prebootwork $(B)/isdctl \
	$(WINDOWS_PROGRAMS)

help:
	@echo 'make               the NBPs and the server programs, in $(B)/'
	@echo 'make rom           a card'"'"'s ROM, $(B)/openpreboot-NIC.rom: NIC=8086:100e, or e1000, virtio, ...;'
	@echo '                   [ROM=options of scripts/openpreboot-rom]'
	@echo 'make demo          a machine boots, is offered a job, does it, boots its disk'
	@echo 'make vm            a machine to play with; its serial console is this terminal'
	@echo 'make test          all tests; test-unit, test-system [K=name] and test-vm [K=name] run a part'
	@echo 'make test-long     longer tests: more damaged files, each recipe on each firmware, a storm, and all'
	@echo '                   boots on IA32 and ARM64'
	@echo 'make soak          many boots, in situations that come in random order: [N=100] of each firmware,'
	@echo '                   [FIRMWARE=seabios|ovmf|ovmf-ipxe] [SEED=number]'
	@echo 'make bench         sizes, packets and times, beside PXELINUX and iPXE; seconds from power-on, for'
	@echo '                   each way in; answers a second, beside nginx'
	@echo 'make bench-server  the latter alone'
	@echo 'make storm         hostile datagrams to prebootd, [N=how many]'
	@echo 'make fuzz          the fuzzers, [T=name] [RUNS=executions of each]'
	@echo 'make coverage      how much of nbp/ the unit tests reach'
	@echo 'make pictures      the pictures of the documents, anew'
	@echo 'make medium        boot media for machines without PXE, in $(B)/medium/: see nbp/medium.md'
	@echo 'make install       [DESTDIR=folder] [prefix=/usr/local]; make uninstall removes it'
	@echo 'make dist          the source of a release, $(B)/openpreboot-$(VERSION).tar.gz'
	@echo 'make deb           a Debian package and its source package, in $(B)/deb/'
	@echo 'make linux         the Linux that does the demo'"'"'s jobs, for a TFTP server'
	@echo 'make clean         remove $(B)/'
	@echo 'FIRMWARE=uefi      with demo and vm: UEFI in place of BIOS'
	@echo 'GDB=1              with vm: wait for a debugger on port 1234'
	@echo 'V=1                show the commands'
	@echo 'WERROR=1           a warning ends the build'
	@echo 'CC, CFLAGS, CPPFLAGS, LDFLAGS  for the programs of a host, as everywhere'
	@echo 'DEBUG=module:level,...  build debug output into the NBPs, as in DEBUG=exchange:2,pxe'

# --- flags -----------------------------------------------------------------

# CC, CFLAGS, CPPFLAGS and LDFLAGS are the user's, as dpkg-buildflags sets them, and count for
# the programs of a host. The NBPs run on bare machines and take their own alone.
CFLAGS ?= -O2 -g -fstack-protector-strong
# Fortification works only in optimized code; elsewhere it makes the C library warn.
CPPFLAGS ?= $(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
LDFLAGS ?= -Wl,-z,relro -Wl,-z,now
PKG_CONFIG ?= pkg-config
pkg = $(shell $(PKG_CONFIG) $(1))
# make WERROR=1: a warning ends the build. A compiler of the future warns of what none does today;
# but one takes what is not declared for an error anyway, and so do we.
WARN := -Werror=implicit-function-declaration -Wall -Wextra -Wformat-security -Wshadow \
	-Wvla -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wpointer-arith $(if $(WERROR),-Werror)
# Each #include names its file by the path from here.
COMMON := -std=gnu11 $(WARN) -MMD -MP -DVERSION='"$(VERSION)"' -I.
# The passes that are switched off make code that is larger and packs worse.
FREESTANDING := $(COMMON) -g -Os -fno-if-conversion -fno-tree-tail-merge \
	-fno-move-loop-invariants -fno-caller-saves -fno-shrink-wrap -ffreestanding -fno-strict-aliasing -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-tree-loop-distribute-patterns \
	-ffunction-sections -fdata-sections -fno-common -fvisibility=hidden \
	-DDEBUG_BUILD=$(if $(DEBUG),1,0)

X86 := -mno-red-zone -mno-mmx -mno-sse

CFLAGS_BIOS := $(FREESTANDING) $(X86) -m32 -march=i386 -mregparm=3 -freg-struct-return -fno-pic -fno-pie \
	-mno-80387 -fno-delete-null-pointer-checks -mpreferred-stack-boundary=2
# gnu-efi has no .pc file.
EFI_INCLUDE ?= /usr/include/efi
# The compiler sees the whole program at once, which saves 2 KiB; what it calls of its own accord
# (memcpy() and the like) it must find compiled already. It may copy a few bytes by itself, too.
CFLAGS_EFI := $(FREESTANDING) -Oz -fno-expensive-optimizations -fno-tree-ch -fno-gcse -fpic -flto \
	-fno-inline-functions-called-once -fbuiltin \
	-fshort-wchar -include efi/hidden.h -isystem $(EFI_INCLUDE)
PACKAGES := sqlite3 jansson nettle libseccomp libsystemd
HOST := $(COMMON) -D_GNU_SOURCE -DDEBUG_LEVEL=0 $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
CFLAGS_HOST := $(HOST) -fPIE $(CPPFLAGS) $(CFLAGS)
CFLAGS_TEST := $(HOST) -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
# The unit tests without sanitizers, whose checks would count as branches, nor optimization, which
# would join lines; without it some warnings are wrong.
ifdef COVERAGE
CFLAGS_TEST := $(HOST) -g -w -O0 --coverage -fprofile-update=atomic
endif

# --- what each program is made of ------------------------------------------

# The portable core is in every NBP. The TFTP client and the terminal's keys are its too, but the
# UEFI has both.
CORE := $(patsubst %.c,%,$(wildcard nbp/*.c nbp/proto/*.c))
BIOS_ASM := $(patsubst %.asm,%,$(wildcard bios/*.asm))
BIOS_C := $(patsubst %.c,%,$(wildcard bios/*.c)) $(CORE)
# What is a processor's own is in folders of efi/.
EFI_FOLDERS_x64 := efi efi/x86 efi/x64
EFI_FOLDERS_ia32 := efi efi/x86 efi/ia32
EFI_FOLDERS_aa64 := efi efi/aa64
efi_c = $(patsubst %.c,%,$(wildcard $(EFI_FOLDERS_$(1):%=%/*.c))) $(filter-out nbp/tftp nbp/ansi_keys,$(CORE))
EFI_C := $(sort $(foreach arch,$(EFI_ARCHES),$(call efi_c,$(arch))))

# A program of a host is the files of its folder, and what it needs of the library: all that
# programs share. A main() is in the file that is called like its program.
PROGRAMS := prebootd prebootctl isdctl prebootwork
PARTS_prebootd := $(patsubst %.c,%,$(wildcard server/daemon/*.c))
PARTS_prebootctl := $(patsubst %.c,%,$(wildcard server/ctl/*.c server/transfer/*.c))
PARTS_isdctl := $(patsubst %.c,%,$(wildcard server/isdctl/*.c))
PARTS_prebootwork := $(patsubst %.c,%,$(wildcard server/agent/*.c))
LIBRARY := $(filter-out nbp/memory,$(CORE)) $(patsubst %.c,%,$(wildcard $(patsubst %,server/%/*.c, \
	model net tool store filter index policy)))
LIBS_prebootd = $(call pkg,--libs sqlite3 libseccomp libsystemd nettle)
LIBS_prebootctl = $(call pkg,--libs sqlite3 jansson nettle)
LIBS_isdctl = $(call pkg,--libs jansson)
# It runs in an initramfs that has no libraries.
LINK_prebootwork := -static-pie

PARTS_WINDOWS := $(filter-out %/port_linux,$(PARTS_prebootwork)) $(patsubst %.c,%,\
	$(wildcard server/agent/windows/*.c nbp/proto/*.c)) server/net/endpoint

# What of the ports runs on a host too, for tests and fuzzers.
PORTABLE := $(addprefix bios/,pxe_find unpack pack/pack pack/pack_steps int13 keys) \
	$(addprefix efi/,aa64/midr bootnext device_path fetched load_option x86/clock_rate) \
	server/agent/windows/kept

# --- the BIOS NBP ----------------------------------------------------------

# DEBUG=exchange:2,pxe gives exchange.o level 2, pxe.o level 1 and all others 0.
comma := ,
debug_words := $(subst $(comma), ,$(DEBUG))
debug_modules := $(sort $(notdir $(BIOS_C) $(EFI_C)))
debug_unknown := $(filter-out $(debug_modules),$(foreach word,$(debug_words),$(firstword $(subst :, ,$(word)))))
$(if $(debug_unknown),$(error DEBUG: no module $(debug_unknown); there are $(debug_modules)))
debug_level = $(or $(patsubst $(1):%,%,$(filter $(1):%,$(debug_words))),$(if $(filter $(1),$(debug_words)),1),0)

BIOS_OBJECTS := $(BIOS_ASM:%=$(B)/bios/%.asm.o) $(BIOS_C:%=$(B)/bios/%.o)

$(B)/bios/%.asm.o: %.asm Makefile
	$(call step,NASM)
	@mkdir -p $(@D)
	$(Q)nasm -f elf32 -g -F dwarf -Wall $(if $(WERROR),-Werror) -I./ -MD $(@:.o=.d) -MP -MT $@ -o $@ $<
$(B)/bios/%.o: %.c Makefile $(B)/debug-words
	$(call step,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_BIOS) -DDEBUG_LEVEL=$(call debug_level,$(notdir $*)) -c -o $@ $<
$(B)/nvlnbp.elf: $(BIOS_OBJECTS) bios/nvlnbp.lds
	$(call step,LINK)
	$(Q)$(LD) -m elf_i386 -static --gc-sections -z noexecstack --no-warn-rwx-segments \
		-T bios/nvlnbp.lds -Map $(B)/nvlnbp.map -o $@ $(BIOS_OBJECTS)
# The first instructions and the unpacker as they are, all else packed: a PXE ROM
# need not load more than 32 KiB.
PACKER := $(patsubst %.c,%,$(wildcard bios/pack/*.c)) bios/unpack nbp/proto/crc32
$(B)/bios/packer: $(PACKER:%=$(B)/host/%.o)
	$(call step,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm
$(B)/nvlnbp.sys: $(B)/nvlnbp.elf $(B)/bios/packer
	$(call step,PACK)
	$(Q)objcopy -O binary -j .resident $< $(B)/bios/resident.bin
	$(Q)objcopy -O binary -j .text -j .rodata -j .data $< $(B)/bios/packed.bin
	$(Q)$(B)/bios/packer $(B)/bios/resident.bin $(B)/bios/packed.bin $@
	@scripts/check-size $@ $(if $(DEBUG),32768,26624)

# --- the UEFI NBP ----------------------------------------------------------

# The compiler of each processor, and what is different with it. A processor's limit is far below
# what its machines could load; it is there to show that a change costs more than it should.
CC_x64 = $(CC) -m64
CFLAGS_x64 := $(CFLAGS_EFI) $(X86) -maccumulate-outgoing-args -DGNU_EFI_USE_MS_ABI
PE_x64 := --defsym=pe_machine=0x8664 --defsym=pe_pointer=8
LIMIT_x64 := 57344

# Firmware is called with all arguments on the stack, our own functions are not. Its structures have
# numbers of 64 bits at multiples of 8 bytes (UEFI 2.10 section 2.3.1), unlike those of Linux on IA32.
CC_ia32 = $(CC) -m32
CFLAGS_ia32 := $(CFLAGS_EFI) $(X86) -malign-double -march=i686 -mno-80387 -mregparm=3 \
	'-DEFIAPI=__attribute__((regparm(0)))' -freg-struct-return -mpreferred-stack-boundary=2
PE_ia32 := --defsym=pe_machine=0x14c --defsym=pe_pointer=4
LIMIT_ia32 := 57344

CROSS_aa64 ?= aarch64-linux-gnu-
CC_aa64 = $(CROSS_aa64)gcc
CFLAGS_aa64 := $(CFLAGS_EFI) -mgeneral-regs-only -mstrict-align -isystem efi/aa64
PE_aa64 := --defsym=pe_machine=0xaa64 --defsym=pe_pointer=8
LIMIT_aa64 := 65536

comma_options = $(foreach option,$(1),-Wl,$(option))
link_efi = $(CC_$(1)) $(CFLAGS_$(1)) -flto-partition=one -nostdlib -shared $(call comma_options,-znocombreloc \
	-znoexecstack --no-warn-rwx-segments --gc-sections -Bsymbolic --build-id=none -Map=$(@:.elf=.map) \
	$(PE_$(1)) --defsym=pe_subsystem=$(or $(2),10)) -Wl,-T,efi/nvlnbp.lds -o $@ $(filter %.o,$^)
make_efi = objcopy -I elf$(if $(filter ia32,$(1)),32,64)-little -O binary \
	-j .header -j .text -j .rodata -j .rela -j .rel -j .data $< $@

define efi_rules
$(B)/efi/$(1)/start.o: efi/$(1)/start.S Makefile
	$$(call step,AS)
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -c -o $$@ $$<
$(B)/efi/$(1)/%.o: %.c Makefile $(B)/debug-words
	$$(call step,CC)
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(CFLAGS_$(1)) $$(if $$(filter %/memory %/divide,$$*),-fno-lto) \
		-DDEBUG_LEVEL=$$(call debug_level,$$(notdir $$*)) -c -o $$@ $$<
$(B)/nvlnbp$(1).elf: $(B)/efi/$(1)/start.o $(patsubst %,$(B)/efi/$(1)/%.o,$(call efi_c,$(1))) efi/nvlnbp.lds
	$$(call step,LINK)
	$$(Q)$$(call link_efi,$(1))
	@! nm -u $$@ | grep . || { echo '$$@: undefined symbols' >&2; exit 1; }
$(B)/nvlnbp$(1).efi: $(B)/nvlnbp$(1).elf
	$$(call step,OBJCOPY)
	$$(Q)$$(call make_efi,$(1))
	@scripts/check-size $$@ $$(if $$(DEBUG),81920,$$(LIMIT_$(1)))
# The driver of a card's ROM (subsystem 11), into which scripts/openpreboot-rom puts the NBP.
$(B)/rom/$(1).elf: $(B)/efi/$(1)/start.o $(B)/efi/$(1)/efi/rom/driver.o $(B)/efi/$(1)/nbp/memory.o efi/nvlnbp.lds
	$$(call step,LINK)
	@mkdir -p $$(@D)
	$$(Q)$$(call link_efi,$(1),11)
	@! nm -u $$@ | grep . || { echo '$$@: undefined symbols' >&2; exit 1; }
$(B)/rom/$(1).efi: $(B)/rom/$(1).elf
	$$(call step,OBJCOPY)
	$$(Q)$$(call make_efi,$(1))
	@scripts/check-size $$@ 6144
endef
$(foreach arch,$(EFI_ARCHES),$(eval $(call efi_rules,$(arch))))

# --- a card's ROM ------------------------------------------------------------

# What scripts/openpreboot-rom puts into one, beside the NBPs.
roms: nbps $(B)/rom/bios.bin $(EFI_ARCHES:%=$(B)/rom/%.efi)
$(B)/rom/bios.bin: bios/rom/stub.asm
	$(call step,NASM)
	@mkdir -p $(@D)
	$(Q)nasm -f bin -Wall $(if $(WERROR),-Werror) -o $@ $<
rom: $(if $(NIC),roms)
	@$(if $(NIC),,echo 'make: which card? NIC=8086:100e, or a name; all: scripts/openpreboot-rom --list' >&2; exit 2)
	@scripts/openpreboot-rom $(ROM) -o '$(B)/openpreboot-$(subst :,-,$(NIC)).rom' '$(NIC)'

# --- the programs of a host ------------------------------------------------

$(B)/host/%.o: %.c $(B)/flags
	$(call step,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_HOST) -c -o $@ $<
define archive
$(call step,AR)
$(Q)rm -f $@ && $(AR) rcs $@ $^
endef
$(B)/host/library.a: $(LIBRARY:%=$(B)/host/%.o)
	$(archive)

define program_rules
$(B)/$(1): $(PARTS_$(1):%=$(B)/host/%.o) $(B)/host/library.a
	$$(call step,LINK)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) $(or $(LINK_$(1)),-pie) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rules,$(program))))

# Windows 7 and later. No library but those that every Windows has.
CFLAGS_WINDOWS := $(COMMON) -Iserver/agent/windows/include -D_WIN32_WINNT=0x0601 -DWIN32_LEAN_AND_MEAN \
	-D__USE_MINGW_ANSI_STDIO=1 -DDEBUG_LEVEL=0 -Wno-format -Wno-format-security -O2 -g0
$(B)/windows/%.o: %.c Makefile
	$(call step,MINGW)
	@mkdir -p $(@D)
	$(Q)$(MINGW) $(CFLAGS_WINDOWS) -c -o $@ $<
$(B)/prebootwork.exe: $(PARTS_WINDOWS:%=$(B)/windows/%.o)
	$(call step,LINK)
	$(Q)$(MINGW) -static -s -Wl,--no-insert-timestamp -o $@ $^ -lws2_32 -liphlpapi -lbcrypt -ladvapi32

# The agent of an ARM64 machine, with Debian's libjansson for that.
$(B)/aa64/%.o: %.c $(B)/arm64/version
	$(call step,CC)
	@mkdir -p $(@D)
	$(Q)$(CC_aa64) $(COMMON) -D_GNU_SOURCE -DDEBUG_LEVEL=0 -O2 -isystem $(B)/arm64/usr/include -c -o $@ $<
$(B)/aa64/library.a: $(patsubst %,$(B)/aa64/%.o,$(filter nbp/proto/% server/model/% server/net/% server/tool/%,$(LIBRARY)))
	$(archive)
$(B)/prebootwork-aa64: $(PARTS_prebootwork:%=$(B)/aa64/%.o) $(B)/aa64/library.a
	$(call step,LINK)
	$(Q)$(CC_aa64) -static -o $@ $^ $(B)/arm64/usr/lib/aarch64-linux-gnu/libjansson.a

# Its COMMANDS come from the program, whose --help says the same.
$(B)/prebootctl.8: server/ctl/prebootctl.8.in $(B)/prebootctl
	$(call step,MAN)
	$(Q)$(B)/prebootctl manual >$(B)/prebootctl.commands
	$(Q)sed -e '/^@COMMANDS@$$/{r $(B)/prebootctl.commands' -e 'd;}' $< >$@

# --- unit tests ------------------------------------------------------------

# Each is tests/unit/test_NAME.c, with what it needs of the other files there and of all that can
# run on a host.
UNIT := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
TESTED := $(LIBRARY) $(PORTABLE) \
	$(filter-out $(PROGRAMS:%=\%/%),$(foreach program,$(PROGRAMS),$(filter-out %/$(program),$(PARTS_$(program))))) \
	$(filter-out tests/unit/test_%,$(patsubst %.c,%,$(wildcard tests/unit/*.c)))
LIBS_TEST = $(call pkg,--libs cmocka $(PACKAGES)) -lm

$(B)/test/%.o: %.c
	$(call step,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_TEST) -c -o $@ $<
$(B)/test/library.a: $(sort $(TESTED:%=$(B)/test/%.o))
	$(archive)
$(B)/test/unit_%: $(B)/test/tests/unit/test_%.o $(B)/test/library.a
	$(call step,LINK)
	$(Q)$(CC) $(CFLAGS_TEST) $(LINK_$*) -o $@ $^ $(LIBS_TEST)
$(B)/test/unit_unpack: | $(B)/nvlnbp.sys
$(B)/test/unit_storm_socket: | $(B)/test/prebootd
$(B)/test/prebootd: $(PARTS_prebootd:%=$(B)/test/%.o) $(B)/test/library.a
	$(call step,LINK)
	$(Q)$(CC) $(CFLAGS_TEST) -o $@ $^ $(LIBS_TEST)

unit-tests: $(UNIT:%=$(B)/test/unit_%)
test-unit: $(B)/dependencies
	@$(MAKE) --no-print-directory all unit-tests replays
	@scripts/run-unit-tests $(UNIT:%=$(B)/test/unit_%) $(REPLAYS)
# Whole programs, each as an administrator or a service manager starts it.
test-system: $(B)/dependencies
	@$(MAKE) --no-print-directory all $(B)/bench/load
	@scripts/run-system-tests $(if $(K),-k '$(K)')

# Many more hostile datagrams than test-unit sends: as many as N says.
storm: $(B)/dependencies
	@$(MAKE) --no-print-directory $(B)/test/unit_storm $(B)/test/unit_storm_socket
	STORM=$(or $(N),10000000) SEED=$(or $(SEED),1) $(B)/test/unit_storm
	STORM=$(or $(N),10000000) SEED=$(or $(SEED),1) $(B)/test/unit_storm_socket

# --- fuzzers, the replay of their corpora, coverage -------------------------

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# What fuzzers link, in both widths; none needs the database.
FUZZED := $(filter-out nbp/memory,$(CORE)) $(PORTABLE) \
	$(patsubst %.c,%,$(wildcard server/filter/*.c server/isdctl/partition*.c)) server/tool/nearest
# What a fuzzer puts in the place of something else, and how.
FUZZ_PARTS_isd := tests/fuzz/sum
FUZZ_PARTS_flow := tests/fuzz/sum
FUZZ_PARTS_tftp_read := tests/unit/platform_port
FUZZ_LINK_menu := -Wl,--wrap=password_run,--wrap=password_right
FUZZ_LINK_flow := $(FUZZ_LINK_menu)
fuzz_objects = $(patsubst %,$(1)/%.o,tests/fuzz/fuzz_$(2) tests/fuzz/fuzz $(FUZZ_PARTS_$(2))) $(1)/fuzzed.a

CLANG := clang
CFLAGS_FUZZ := $(HOST) -g -O2 -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# Comparisons in the harnesses and the cursor help libFuzzer little, and cost time.
$(foreach width,64 32,$(B)/fuzz/$(width)/tests/fuzz/%.o $(B)/fuzz/$(width)/nbp/proto/wire.o): \
	CFLAGS_FUZZ += -fno-sanitize-coverage=trace-cmp

# Each is built by clang in 64 and 32 bit; the replays by gcc, likewise. Of the headers of 32 bit
# Debian has those of the kernel only in gcc-multilib, which cannot be beside a cross compiler.
M32 := -m32 -idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)
$(B)/fuzz/64/%.o: %.c
	$(call step,CLANG)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS_FUZZ) -c -o $@ $<
$(B)/fuzz/32/%.o: %.c
	$(call step,CLANG)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(M32) $(CFLAGS_FUZZ) -c -o $@ $<
$(B)/test32/%.o: %.c
	$(call step,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(M32) $(CFLAGS_TEST) -c -o $@ $<
define fuzzed_rule
$(1)/fuzzed.a: $(FUZZED:%=$(1)/%.o)
	$$(archive)
endef
$(foreach where,fuzz/64 fuzz/32 test test32,$(eval $(call fuzzed_rule,$(B)/$(where))))

define fuzz_rules
$(B)/fuzz/64/fuzz_$(1): $(call fuzz_objects,$(B)/fuzz/64,$(1))
	$$(call step,LINK)
	$$(Q)$$(CLANG) -fsanitize=fuzzer,address,undefined $(FUZZ_LINK_$(1)) -o $$@ $$^
$(B)/fuzz/32/fuzz_$(1): $(call fuzz_objects,$(B)/fuzz/32,$(1))
	$$(call step,LINK)
	$$(Q)$$(CLANG) -m32 -fsanitize=fuzzer,address,undefined $(FUZZ_LINK_$(1)) -o $$@ $$^
$(B)/test/fuzz_$(1): $(B)/test/tests/fuzz/replay.o $(call fuzz_objects,$(B)/test,$(1))
	$$(call step,LINK)
	$$(Q)$$(CC) $$(CFLAGS_TEST) $(FUZZ_LINK_$(1)) -o $$@ $$^
$(B)/test32/fuzz_$(1): $(B)/test32/tests/fuzz/replay.o $(call fuzz_objects,$(B)/test32,$(1))
	$$(call step,LINK)
	$$(Q)$$(CC) -m32 $$(CFLAGS_TEST) $(FUZZ_LINK_$(1)) -o $$@ $$^
endef
$(foreach name,$(FUZZERS),$(eval $(call fuzz_rules,$(name))))

REPLAYS := $(FUZZERS:%=$(B)/test/fuzz_%) $(FUZZERS:%=$(B)/test32/fuzz_%)
replays: $(REPLAYS)

fuzz: $(B)/dependencies
	@$(if $(filter-out $(FUZZERS),$(T)),echo 'make: T is one of: $(FUZZERS)' >&2; exit 2)
	@scripts/install-dependencies --all
	@$(MAKE) --no-print-directory \
		$(foreach width,64 32,$(patsubst %,$(B)/fuzz/$(width)/fuzz_%,$(or $(T),$(FUZZERS))))
	@scripts/fuzz $(or $(RUNS),100000) $(or $(T),$(FUZZERS))

# How much of nbp/ the unit tests reach.
coverage: $(B)/dependencies
	@scripts/install-dependencies --all
	@rm -rf $(B)/coverage
	@$(MAKE) --no-print-directory unit-tests B=$(B)/coverage COVERAGE=1
	@for test in $(UNIT:%=$(B)/coverage/test/unit_%); do \
		$$test >$$test.log 2>&1 || { cat $$test.log; exit 1; }; done
	@scripts/coverage $(B)/coverage 90 85
.SECONDARY:

# --- the virtual machines: their Linux and their local disks ---------------

$(B)/linux/version: scripts/lab/fetch-kernel | $(B)
	scripts/lab/fetch-kernel $(B)/linux
	@touch $@
# The DHCP and TFTP servers of the recipes, as Debian has them.
servers: $(B)/servers/packages
$(B)/servers/packages: scripts/lab/fetch-servers | $(B)
	scripts/lab/fetch-servers $(B)/servers
	@touch $@
$(B)/arm64/version: scripts/lab/fetch-arm64 | $(B)
	scripts/lab/fetch-arm64 $(B)/arm64
	@touch $@
$(B)/vm/initrd-aa64: scripts/lab/make-initramfs scripts/lab/initramfs/init $(B)/arm64/version | $(B)/vm
	$(call step,MAKE)
	$(Q)scripts/lab/make-initramfs initrd $@ $(B)/arm64
$(B)/vm/root-aa64: scripts/lab/make-initramfs scripts/lab/initramfs/job $(B)/prebootwork-aa64 | $(B)/vm
	$(call step,MAKE)
	$(Q)scripts/lab/make-initramfs root $@ $(B)/prebootwork-aa64
$(B)/vm/initrd: scripts/lab/make-initramfs scripts/lab/initramfs/init $(B)/linux/version | $(B)/vm
	$(call step,MAKE)
	$(Q)scripts/lab/make-initramfs initrd $@ $(B)/linux
$(B)/vm/root: scripts/lab/make-initramfs scripts/lab/initramfs/job $(B)/prebootwork | $(B)/vm
	$(call step,MAKE)
	$(Q)scripts/lab/make-initramfs root $@ $(B)/prebootwork

$(B)/vm/bootsector.bin: scripts/lab/disk/bootsector.asm | $(B)/vm
	$(call step,NASM)
	$(Q)nasm -f bin -Wall $(if $(WERROR),-Werror) -o $@ $<
$(B)/vm/boot%.efi: $(B)/vm/boot%.elf
	$(call step,OBJCOPY)
	$(Q)$(call make_efi,$*)
define disk_rules
$(B)/vm/boot$(1).o: scripts/lab/disk/boot.c Makefile | $(B)/vm
	$$(call step,CC)
	$$(Q)$$(CC_$(1)) $$(CFLAGS_$(1)) -DNAME='"BOOT$(shell echo $(1) | tr a-z A-Z).EFI"' -c -o $$@ $$<
$(B)/vm/boot$(1).elf: $(B)/efi/$(1)/start.o $(B)/vm/boot$(1).o efi/nvlnbp.lds
	$$(call step,LINK)
	$$(Q)$$(call link_efi,$(1))
$(B)/vm/disk-$(1).img: scripts/lab/make-disk $(B)/vm/boot$(1).efi
	$$(call step,MAKE)
	$$(Q)scripts/lab/make-disk $(1) $$@ $(B)/vm/boot$(1).efi
endef
$(foreach arch,$(EFI_ARCHES),$(eval $(call disk_rules,$(arch))))
$(B)/vm/disk-bios.img: scripts/lab/make-disk $(B)/vm/bootsector.bin
	$(call step,MAKE)
	$(Q)scripts/lab/make-disk bios $@ $(B)/vm/bootsector.bin

# --- what bench-server measures with ----------------------------------------

LOAD := load load_options load_message
$(B)/bench/load: $(LOAD:%=$(B)/host/tests/bench/%.o) $(B)/host/library.a
	$(call step,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(B)/bench/echo $(B)/bench/fetch: $(B)/bench/%: $(B)/host/tests/bench/%.o $(B)/host/library.a
	$(call step,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# --- people's commands -----------------------------------------------------

# Everything below runs after the packages it needs are there.
$(B)/dependencies: scripts/install-dependencies | $(B)
	scripts/install-dependencies
	@touch $@

demo: $(B)/dependencies
	@$(MAKE) --no-print-directory all pc
	scripts/demo $(or $(FIRMWARE),bios)
vm: $(B)/dependencies
	@$(MAKE) --no-print-directory all pc
	scripts/vm $(if $(GDB),--gdb) $(or $(FIRMWARE),bios)
test: test-unit test-system test-vm
test-vm: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines servers
	scripts/run-vm-tests $(if $(K),-k '$(K)')
# Tests that take too long for each change; "make test" has a part of them.
test-long: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines servers
	LONG=1 scripts/run-vm-tests -m long
# FIRMWARE: one of scripts/lab/machine.py's, as in make soak FIRMWARE=seabios; default: all of them.
soak: $(B)/dependencies
	@$(MAKE) --no-print-directory all pc
	scripts/soak --boots $(or $(N),100) $(if $(SEED),--seed $(SEED)) $(FIRMWARE)
bench: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines servers
	scripts/bench
	@$(MAKE) --no-print-directory bench-server
# The server's part alone.
bench-server: $(B)/dependencies
	@scripts/install-dependencies --bench
	@$(MAKE) --no-print-directory all servers $(B)/bench/load $(B)/bench/echo $(B)/bench/fetch
	scripts/bench-server

# The documents' pictures of screens and terminals; they are committed.
pictures: $(B)/dependencies
	@$(MAKE) --no-print-directory all pc
	scripts/pictures

# A floppy, a stick and a CD from which the NBPs start; as openpreboot-medium, with FLAGS.
medium: | $(B)
	@scripts/install-dependencies --medium
	@$(MAKE) --no-print-directory nbps
	scripts/openpreboot-medium --nbps $(B) --parts scripts/medium $(FLAGS) $(B)/medium

# --- installing ------------------------------------------------------------

prefix := /usr/local
INSTALL := B='$(B)' DESTDIR='$(DESTDIR)' prefix='$(prefix)' scripts/packaging/install

install: all
	@$(INSTALL)
# The database stays, and the service's options if somebody has set any.
uninstall:
	@$(INSTALL) --uninstall
# What a release is: the files of the last commit, always in the same bytes.
dist: | $(B)
	@scripts/packaging/make-dist $(VERSION) '$(abspath $(B))'
# It installs no virtual machines, as this may be typed on the server itself; so does "make linux".
deb: | $(B)
	@scripts/install-dependencies --deb
	@scripts/packaging/make-deb $(VERSION) '$(abspath $(B))/deb'
# The demo's Linux, for a TFTP server's boot/.
linux: | $(B)
	@scripts/install-dependencies --linux
	@$(MAKE) --no-print-directory $(B)/vm/initrd $(B)/vm/root
	@printf '%s\n' $(B)/linux/kernel $(B)/vm/initrd $(B)/vm/root

clean:
	rm -rf $(B)

# --- folders and bookkeeping -----------------------------------------------

$(B) $(B)/vm:
	@mkdir -p $@

# They change only when DEBUG or a flag does, so that the objects follow it.
$(B)/debug-words: FORCE | $(B)
	@echo '$(DEBUG)' | cmp -s - $@ || echo '$(DEBUG)' > $@
$(B)/flags: FORCE | $(B)
	@echo '$(subst ','\'',$(CC) $(CFLAGS_HOST))' | cmp -s - $@ || echo '$(subst ','\'',$(CC) $(CFLAGS_HOST))' > $@
FORCE:

# What a source that has since moved or gone was needed for is made anew.
%.c %.asm: ;
-include $(shell find $(B) -path $(B)/deb -prune -o -type f -name '*.d' -print 2>/dev/null)
