# OpenPreboot. "make help" lists what there is to make.

VERSION := 0.1.0

B := build
# One short line a step; V=1 shows the commands.
Q := $(if $(V),,@)
step = @$(if $(V),:,printf '  %-8s %s\n' $(1) $@)
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all nbps tools machines servers help demo vm test test-unit test-system unit-tests replays test-vm test-long \
	soak bench bench-server storm fuzz coverage install uninstall deb clean FORCE

all: nbps tools
nbps: $(B)/nvlnbp.sys $(B)/nvlnbpx64.efi
# What a virtual machine boots besides the NBP.
machines: $(B)/vm/initrd $(B)/vm/root $(B)/vm/disk-bios.img $(B)/vm/disk-uefi.img
tools: $(B)/prebootd $(B)/prebootctl $(B)/prebootwork $(B)/isdctl

help:
	@echo 'make               the NBPs and the server programs, in $(B)/'
	@echo 'make demo          a machine boots, is given work, does it, boots its disk'
	@echo 'make vm            a machine to play with; its serial console is this terminal'
	@echo 'make test          all tests; test-unit, test-system [K=name] and test-vm [K=name] run a part'
	@echo 'make test-long     what takes longer: more damaged files, each recipe on each firmware'
	@echo 'make soak          many boots, in situations that come in random order: [N=100] of each firmware,'
	@echo '                   [FIRMWARE=seabios|ovmf|ovmf-ipxe] [SEED=number]'
	@echo 'make bench         sizes, packets and times, beside PXELINUX; answers a second, beside nginx'
	@echo 'make bench-server  the latter alone'
	@echo 'make storm         hostile datagrams to prebootd, [N=how many]'
	@echo 'make fuzz          the fuzzers, [T=name] [RUNS=executions of each]'
	@echo 'make coverage      how much of nbp/ the unit tests reach'
	@echo 'make install       [DESTDIR=folder] [prefix=/usr/local]; make uninstall takes it back'
	@echo 'make deb           a Debian package, in $(B)/deb/'
	@echo 'make clean         remove $(B)/'
	@echo 'FIRMWARE=uefi      with demo and vm: UEFI in place of BIOS'
	@echo 'GDB=1              with vm: wait for a debugger on port 1234'
	@echo 'V=1                show the commands'
	@echo 'DEBUG=module:level,...  build debug output into the NBPs, as in DEBUG=exchange:2,pxe'

# --- what each program is made of ------------------------------------------

# The menu, which prebootctl checks and draws.
MENU := menu menu_read menu_text menu_screen menu_ask menu_view password sha256
# The portable core, in every NBP and every test.
CORE := wire message message_fields text error exchange dhcp smbios cpu detect hotkey trail nonce flow boot folder \
	power_on log crc32 isd keys $(MENU)
# What the server's programs use of it.
SHARED := wire message message_fields text error crc32 isd power_on

BIOS_ASM := entry realmode
BIOS_C := main unpack pxe pxe_find udp tftp realmode console uart keyboard memory clock machine \
	disk edd chain local fault
EFI_C := main firmware machine hardware rate net udp4 tftp fetched console keys path source option order disk \
	image chain local mark fault

# Of the server's programs, by folder.
POLICY := $(addprefix policy/,choose choose_assigned choose_rules decide judge token)
FILTER := $(addprefix policy/,filter filter_facts filter_match filter_table filter_value)
# What prebootd knows, and decides by.
INDEX := $(addprefix index/,index index_ahead index_arena index_devices index_entry index_follow \
	index_load index_policy index_read index_rows index_table index_take) policy/identify policy/weigh \
	$(FILTER)
STORE := $(addprefix store/,store store_file store_where store_schema store_past store_upgrade device_uuid devices settings settings_store \
	work events lease folders groups bundles assignments rules multicasts strangers stranger_note serials uuids admission)
CONFINE := $(addprefix daemon/,confine confine_landlock confine_seccomp)
KEEPER := $(addprefix daemon/,serve serve_answer serve_fast serve_log notes keeper keeper_clock keeper_later keeper_judge \
	keeper_work keeper_follow counters limit lanes queue journal) \
	$(addprefix net/,address endpoint socket) tool/output $(POLICY) $(INDEX) $(STORE)
PREBOOTD := $(addprefix daemon/,prebootd options threads lockfile real_path metrics service) \
	store/stats data/whole_file $(CONFINE) $(KEEPER)
CTL := prebootctl ctl_options ctl_verbs ctl_help ctl_find ctl_show ctl_device ctl_device_add ctl_hardware \
	ctl_device_show ctl_device_move ctl_trace ctl_settings ctl_work ctl_assign ctl_retry ctl_event \
	ctl_menu ctl_menu_passwd canvas ctl_words ctl_target ctl_help_policy ctl_folder \
	ctl_folder_show ctl_group ctl_bundle ctl_bundle_show ctl_assignment ctl_rule ctl_multicast \
	ctl_multicast_show ctl_multicast_members ctl_rule_show ctl_stranger ctl_admit ctl_uuid ctl_inventory ctl_unknown ctl_tftp
# Its tools for whole data.
CTL += ctl_help_data ctl_data ctl_check ctl_backup ctl_device_csv ctl_csv ctl_csv_list ctl_watch ctl_stats \
	ctl_complete ctl_complete_words
# Its decisions, explained.
CTL += ctl_explain ctl_machine ctl_rule_test ctl_help_explain
PREBOOTCTL := $(CTL:%=ctl/%) $(addprefix data/,data_tables data_fields data_columns data_refer \
	data_export data_scan data_tell data_put data_import data_whole whole_file csv encoding) \
	$(addprefix store/,check check_rows stats) tool/output $(POLICY) $(INDEX) $(STORE)
ISDCTL := $(addprefix isd/,isdctl isdctl_show isdctl_save isd_disk isd_fields isd_file partition partition_gap partition_gpt) tool/output
PREBOOTWORK := $(addprefix agent/,prebootwork agent_facts agent_record agent_macs agent_ask agent_show agent_run) net/endpoint tool/output

# --- flags -----------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wpointer-arith -Werror
COMMON := -std=gnu11 $(WARN) -g -MMD -MP -DVERSION='"$(VERSION)"' -Inbp
SERVER := agent ctl daemon data index isd net policy store tool
INCLUDE_SERVER := $(SERVER:%=-Iserver/%)
# The passes left out make code that is larger, and packs worse.
FREESTANDING := $(COMMON) -Os -fno-if-conversion -fno-tree-tail-merge \
	-fno-move-loop-invariants -fno-caller-saves -fno-shrink-wrap -ffreestanding -fno-strict-aliasing -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-tree-loop-distribute-patterns \
	-ffunction-sections -fdata-sections -fno-common -fvisibility=hidden -mno-red-zone -mno-mmx -mno-sse

CFLAGS_BIOS := $(FREESTANDING) -m32 -march=i386 -mregparm=3 -freg-struct-return -fno-pic -fno-pie \
	-mno-80387 -fno-delete-null-pointer-checks -DDEBUG_BUILD=$(if $(DEBUG),1,0) \
	-mpreferred-stack-boundary=2
CFLAGS_EFI := $(FREESTANDING) -Oz -fno-expensive-optimizations -fno-tree-sra -fno-tree-ch -m64 -fpic -fshort-wchar -maccumulate-outgoing-args \
	-DDEBUG_BUILD=$(if $(DEBUG),1,0) \
	-DGNU_EFI_USE_MS_ABI -isystem /usr/include/efi -isystem /usr/include/efi/x86_64
CFLAGS_HOST := $(COMMON) $(INCLUDE_SERVER) -O2 -D_GNU_SOURCE -DDEBUG_LEVEL=0 -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS_TEST := $(COMMON) -O1 -D_GNU_SOURCE -DDEBUG_LEVEL=0 $(INCLUDE_SERVER) -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all

# DEBUG=exchange:2,pxe gives exchange.o level 2, pxe.o level 1 and all others 0.
comma := ,
debug_words := $(subst $(comma), ,$(DEBUG))
debug_level = $(or $(patsubst $(1):%,%,$(filter $(1):%,$(debug_words))),$(if $(filter $(1),$(debug_words)),1),0)

# --- the BIOS NBP ----------------------------------------------------------

BIOS_OBJECTS := $(BIOS_ASM:%=$(B)/bios/%.asm.o) $(BIOS_C:%=$(B)/bios/%.o) \
	$(CORE:%=$(B)/bios/nbp/%.o) $(B)/bios/nbp/memory.o

$(B)/bios/%.asm.o: bios/%.asm Makefile | $(B)/bios
	$(call step,NASM)
	$(Q)nasm -f elf32 -g -F dwarf -Wall -Werror -Ibios/ -MD $(@:.o=.d) -MT $@ -o $@ $<
$(B)/bios/%.o: bios/%.c Makefile $(B)/debug-words | $(B)/bios
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_BIOS) -DDEBUG_LEVEL=$(call debug_level,$*) -c -o $@ $<
$(B)/bios/nbp/%.o: nbp/%.c Makefile $(B)/debug-words | $(B)/bios/nbp
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_BIOS) -DDEBUG_LEVEL=$(call debug_level,$*) -c -o $@ $<
$(B)/nvlnbp.elf: $(BIOS_OBJECTS) bios/nvlnbp.lds
	$(call step,LINK)
	$(Q)$(LD) -m elf_i386 -static --gc-sections -z noexecstack --no-warn-rwx-segments \
		-T bios/nvlnbp.lds -Map $(B)/nvlnbp.map -o $@ $(BIOS_OBJECTS)
# The first instructions and the unpacker as they are, all else packed: a PXE ROM
# need not load more than 32 KiB.
$(B)/bios/pack: $(addprefix bios/,pack_main.c pack.c pack.h pack_ways.c pack_ways.h unpack.c) \
		$(addprefix nbp/,crc32.c crc32.h) | $(B)/bios
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_HOST) -o $@ $(filter %.c,$^) -lm
$(B)/nvlnbp.sys: $(B)/nvlnbp.elf $(B)/bios/pack
	$(call step,PACK)
	$(Q)objcopy -O binary -j .resident $< $(B)/bios/resident.bin
	$(Q)objcopy -O binary -j .text -j .rodata -j .data $< $(B)/bios/packed.bin
	$(Q)$(B)/bios/pack $(B)/bios/resident.bin $(B)/bios/packed.bin $@
	@scripts/check-size $@ $(if $(DEBUG),32768,26624)

# --- the UEFI NBP ----------------------------------------------------------

link_efi = $(LD) -nostdlib -znocombreloc -z noexecstack --gc-sections -shared -Bsymbolic \
	-T efi/nvlnbpx64.lds -Map $(@:.elf=.map) -o $@ /usr/lib/crt0-efi-x86_64.o \
	$(filter %.o,$^) /usr/lib/libgnuefi.a
make_efi = objcopy -S -j .text -j .rodata -j .data -j .rela -j .reloc \
	--target=efi-app-x86_64 --subsystem=10 $< $@

EFI_OBJECTS := $(EFI_C:%=$(B)/efi/%.o) $(CORE:%=$(B)/efi/nbp/%.o) $(B)/efi/nbp/memory.o

$(B)/efi/%.o: efi/%.c Makefile $(B)/debug-words | $(B)/efi
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_EFI) -DDEBUG_LEVEL=$(call debug_level,$*) -c -o $@ $<
$(B)/efi/nbp/%.o: nbp/%.c Makefile $(B)/debug-words | $(B)/efi/nbp
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_EFI) -DDEBUG_LEVEL=$(call debug_level,$*) -c -o $@ $<
$(B)/nvlnbpx64.elf: $(EFI_OBJECTS) efi/nvlnbpx64.lds
	$(call step,LINK)
	$(Q)$(link_efi)
	@! nm -u $@ | grep . || { echo '$@: undefined symbols' >&2; exit 1; }
$(B)/nvlnbpx64.efi: $(B)/nvlnbpx64.elf
	$(call step,OBJCOPY)
	$(Q)$(make_efi)
	@scripts/check-size $@ $(if $(DEBUG),65536,51200)

# --- the server's programs -------------------------------------------------

$(B)/server/%.o: server/%.c | $(SERVER:%=$(B)/server/%)
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_HOST) -c -o $@ $<
$(B)/server/nbp/%.o: nbp/%.c | $(B)/server/nbp
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_HOST) -c -o $@ $<

SHARED_OBJECTS := $(SHARED:%=$(B)/server/nbp/%.o)

$(B)/prebootd: $(PREBOOTD:%=$(B)/server/%.o) $(SHARED_OBJECTS)
	$(call step,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lsqlite3 -lseccomp -lsystemd -lnettle
$(B)/prebootctl: $(PREBOOTCTL:%=$(B)/server/%.o) $(SHARED_OBJECTS) $(MENU:%=$(B)/server/nbp/%.o)
	$(call step,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lsqlite3 -ljansson -lnettle
$(B)/isdctl: $(ISDCTL:%=$(B)/server/%.o) $(SHARED_OBJECTS)
	$(call step,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ljansson
# Static: it runs in an initramfs that has no libraries.
$(B)/prebootwork: $(PREBOOTWORK:%=$(B)/server/%.o) $(SHARED_OBJECTS)
	$(call step,LINK)
	$(Q)$(CC) $(LDFLAGS) -static -o $@ $^ -ljansson

# --- unit tests ------------------------------------------------------------

UNIT := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))

TEST_DIRS := $(patsubst %,$(B)/test/%,nbp bios efi $(SERVER:%=server/%) tests/unit)
$(B)/test/%.o: %.c | $(TEST_DIRS)
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_TEST) -c -o $@ $<
# Each test_NAME links the whole core; the server's parts come in by UNIT_NAME.
$(B)/test/unit_%: $(B)/test/tests/unit/test_%.o $(B)/test/tests/unit/fake.o \
		$(B)/test/tests/unit/vector.o $(CORE:%=$(B)/test/nbp/%.o)
	$(call step,LINK)
	$(Q)$(CC) $(CFLAGS_TEST) -o $@ $^ -lcmocka -lsqlite3 -ljansson -lnettle $(UNIT_LIBS_$*)
$(B)/test/unit_tftp $(B)/test/unit_tftp_rivals: $(B)/test/bios/tftp.o $(B)/test/tests/unit/tftp_server.o
$(B)/test/unit_pxe_find: $(B)/test/bios/pxe_find.o
$(B)/test/unit_unpack: $(addprefix $(B)/test/bios/,unpack.o pack.o pack_ways.o) | $(B)/nvlnbp.sys
UNIT_LIBS_unpack := -lm
$(B)/test/unit_bios_edd: $(B)/test/bios/edd.o
$(B)/test/unit_bios_keyboard: $(B)/test/bios/keyboard.o
$(B)/test/unit_efi_path: $(B)/test/efi/path.o
$(B)/test/unit_efi_option: $(B)/test/efi/option.o $(B)/test/efi/path.o
$(B)/test/unit_efi_fetched: $(B)/test/efi/fetched.o
$(B)/test/unit_efi_rate: $(B)/test/efi/rate.o
$(B)/test/unit_efi_source: $(B)/test/efi/source.o
$(B)/test/unit_menu_view $(B)/test/unit_menu_password: $(B)/test/tests/unit/person.o \
	$(B)/test/server/ctl/canvas.o
$(B)/test/unit_decide: $(B)/test/server/policy/decide.o $(B)/test/server/store/lease.o
$(B)/test/unit_accept: $(patsubst %,$(B)/test/server/%.o,policy/decide policy/token store/lease)
$(B)/test/unit_filter: $(FILTER:%=$(B)/test/server/%.o)
$(B)/test/unit_settings: $(STORE:%=$(B)/test/server/%.o)
$(B)/test/unit_index $(B)/test/unit_index_follow: $(B)/test/tests/unit/index_dump.o
$(B)/test/unit_identify $(B)/test/unit_identify_cards: $(B)/test/tests/unit/identify_bench.o
$(B)/test/unit_identify $(B)/test/unit_identify_cards $(B)/test/unit_index $(B)/test/unit_index_follow \
		$(B)/test/unit_index_memory: \
	$(patsubst %,$(B)/test/server/%.o,$(STORE) $(INDEX))
$(B)/test/unit_store_file $(B)/test/unit_store_rows $(B)/test/unit_uuids: $(B)/test/tests/unit/store_place.o \
	$(STORE:%=$(B)/test/server/%.o)
$(B)/test/unit_keeper_lock $(B)/test/unit_keeper_between: $(B)/test/tests/unit/between.o
$(B)/test/unit_serve $(B)/test/unit_keeper $(B)/test/unit_keeper_lock $(B)/test/unit_keeper_bounds \
		$(B)/test/unit_keeper_between $(B)/test/unit_keeper_sync $(B)/test/unit_multicast \
		$(B)/test/unit_lanes $(B)/test/unit_fast: \
	$(B)/test/tests/unit/site.o \
	$(KEEPER:%=$(B)/test/server/%.o)
$(B)/test/unit_storm $(B)/test/unit_storm_socket: $(B)/test/tests/unit/storm.o
$(B)/test/unit_storm: $(KEEPER:%=$(B)/test/server/%.o)
$(B)/test/unit_storm_socket: | $(B)/test/prebootd
$(B)/test/prebootd: $(PREBOOTD:%=$(B)/test/server/%.o) $(SHARED:%=$(B)/test/nbp/%.o)
	$(call step,LINK)
	$(Q)$(CC) $(CFLAGS_TEST) -o $@ $^ -lsqlite3 -lseccomp -lsystemd -lnettle
$(B)/test/unit_confine $(B)/test/unit_confine_user: $(CONFINE:%=$(B)/test/server/%.o)
UNIT_LIBS_confine := -lseccomp
UNIT_LIBS_confine_user := -lseccomp
$(B)/test/unit_service: $(B)/test/server/daemon/service.o
UNIT_LIBS_service := -lsystemd
$(B)/test/unit_partition_mbr $(B)/test/unit_partition_gpt $(B)/test/unit_partition_gap: $(B)/test/tests/unit/partitioned.o \
	$(patsubst %,$(B)/test/server/isd/%.o,partition partition_gap partition_gpt)
$(B)/test/unit_isdctl: $(patsubst %,$(B)/test/server/isd/%.o,isd_disk isd_fields)
$(B)/test/unit_agent: $(patsubst %,$(B)/test/server/%.o,agent/agent_facts agent/agent_record agent/agent_macs \
	agent/agent_show net/endpoint)

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
# What a fuzzer links besides the core, and what of it it replaces.
FUZZ_PARTS_tftp := bios/tftp
FUZZ_PARTS_pxe_find := bios/pxe_find
FUZZ_PARTS_partition := server/isd/partition server/isd/partition_gap server/isd/partition_gpt
FUZZ_PARTS_boot_option := efi/option efi/path
FUZZ_PARTS_filter := $(FILTER:%=server/%)
FUZZ_PARTS_isd := tests/fuzz/sum
FUZZ_WITHOUT_isd := crc32
FUZZ_LINK_menu := -Wl,--wrap=password_run,--wrap=password_right
FUZZ_PARTS_flow := $(FUZZ_PARTS_isd)
FUZZ_WITHOUT_flow := $(FUZZ_WITHOUT_isd)
FUZZ_LINK_flow := $(FUZZ_LINK_menu)
fuzz_objects = $(patsubst %,$(1)/%.o,tests/fuzz/fuzz_$(2) tests/fuzz/fuzz \
	$(patsubst %,nbp/%,$(filter-out $(FUZZ_WITHOUT_$(2)),$(CORE))) $(FUZZ_PARTS_$(2)))

CLANG := clang
CFLAGS_FUZZ := $(COMMON) -O2 -D_GNU_SOURCE -DDEBUG_LEVEL=0 $(INCLUDE_SERVER) -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# What the harnesses and the cursor compare tells libFuzzer little, and takes time.
$(foreach width,64 32,$(B)/fuzz/$(width)/tests/fuzz/%.o $(B)/fuzz/$(width)/nbp/wire.o): \
	CFLAGS_FUZZ += -fno-sanitize-coverage=trace-cmp
FUZZ_DIRS := $(B)/test/tests/fuzz \
	$(foreach width,fuzz/64 fuzz/32 test32,$(patsubst %,$(B)/$(width)/%,nbp bios efi server/isd server/policy tests/fuzz))

$(FUZZ_DIRS):
	@mkdir -p $@
# Each is built by clang in 64 and 32 bit; the replays by gcc, likewise.
$(B)/fuzz/64/%.o: %.c | $(FUZZ_DIRS)
	$(call step,CLANG)
	$(Q)$(CLANG) $(CFLAGS_FUZZ) -c -o $@ $<
$(B)/fuzz/32/%.o: %.c | $(FUZZ_DIRS)
	$(call step,CLANG)
	$(Q)$(CLANG) -m32 $(CFLAGS_FUZZ) -c -o $@ $<
$(B)/test32/%.o: %.c | $(FUZZ_DIRS)
	$(call step,CC)
	$(Q)$(CC) -m32 $(CFLAGS_TEST) -c -o $@ $<
$(patsubst %,$(B)/test/tests/fuzz/%.o,fuzz replay $(FUZZERS:%=fuzz_%)): | $(FUZZ_DIRS)

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

# The unit tests once more, without sanitizers, whose checks would count as branches,
# nor optimization, which would join lines; without it some warnings are wrong.
coverage: $(B)/dependencies
	@scripts/install-dependencies --all
	@rm -rf $(B)/coverage
	@$(MAKE) --no-print-directory unit-tests B=$(B)/coverage COVERAGE=1
	@for test in $(UNIT:%=$(B)/coverage/test/unit_%); do \
		$$test >$$test.log 2>&1 || { cat $$test.log; exit 1; }; done
	@scripts/coverage $(B)/coverage 90 85
.PRECIOUS: $(B)/test/%.o
ifdef COVERAGE
CFLAGS_TEST := $(COMMON) -w -O0 -D_GNU_SOURCE -DDEBUG_LEVEL=0 $(INCLUDE_SERVER) --coverage -fprofile-update=atomic
endif

# --- the virtual machines: their Linux and their local disks ---------------

$(B)/linux/version: scripts/lab/fetch-kernel | $(B)
	scripts/lab/fetch-kernel $(B)/linux
	@touch $@
# The DHCP and TFTP servers of the recipes, as Debian has them.
servers: $(B)/servers/packages
$(B)/servers/packages: scripts/lab/fetch-servers | $(B)
	scripts/lab/fetch-servers $(B)/servers
	@touch $@
$(B)/vm/initrd: scripts/lab/make-initramfs scripts/lab/initramfs/init $(B)/linux/version | $(B)/vm
	$(call step,MAKE)
	$(Q)scripts/lab/make-initramfs initrd $@ $(B)/linux
$(B)/vm/root: scripts/lab/make-initramfs scripts/lab/initramfs/work $(B)/prebootwork | $(B)/vm
	$(call step,MAKE)
	$(Q)scripts/lab/make-initramfs root $@ $(B)/prebootwork

$(B)/vm/bootsector.bin: scripts/lab/disk/bootsector.asm | $(B)/vm
	$(call step,NASM)
	$(Q)nasm -f bin -Wall -Werror -o $@ $<
$(B)/vm/bootx64.o: scripts/lab/disk/bootx64.c Makefile | $(B)/vm
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_EFI) -c -o $@ $<
$(B)/vm/bootx64.elf: $(B)/vm/bootx64.o
	$(call step,LINK)
	$(Q)$(link_efi)
$(B)/vm/bootx64.efi: $(B)/vm/bootx64.elf
	$(call step,OBJCOPY)
	$(Q)$(make_efi)
$(B)/vm/disk-bios.img: scripts/lab/make-disk $(B)/vm/bootsector.bin
	$(call step,MAKE)
	$(Q)scripts/lab/make-disk bios $@ $(B)/vm/bootsector.bin
$(B)/vm/disk-uefi.img: scripts/lab/make-disk $(B)/vm/bootx64.efi
	$(call step,MAKE)
	$(Q)scripts/lab/make-disk uefi $@ $(B)/vm/bootx64.efi

# --- what bench-server measures with ----------------------------------------

LOAD := load load_options load_message
$(B)/bench/%.o: tests/bench/%.c | $(B)/bench
	$(call step,CC)
	$(Q)$(CC) $(CFLAGS_HOST) -c -o $@ $<
$(B)/bench/load: $(LOAD:%=$(B)/bench/%.o) $(B)/server/net/endpoint.o $(SHARED_OBJECTS)
	$(call step,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^
$(B)/bench/echo: $(B)/bench/echo.o $(B)/server/net/endpoint.o $(SHARED_OBJECTS)
	$(call step,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# --- people's commands -----------------------------------------------------

# Everything below runs after the packages it needs are there.
$(B)/dependencies: scripts/install-dependencies | $(B)
	scripts/install-dependencies
	@touch $@

demo: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines
	scripts/demo $(or $(FIRMWARE),bios)
vm: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines
	scripts/vm $(if $(GDB),--gdb) $(or $(FIRMWARE),bios)
test: test-unit test-system test-vm
test-vm: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines servers
	scripts/run-vm-tests $(if $(K),-k '$(K)')
# What takes too long for each change; all of it also is in "make test", with less of it.
test-long: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines servers
	FLIPS=20 LONG=1 scripts/run-vm-tests -k 'damaged or recipe'
# FIRMWARE: one of scripts/lab/machine.py's, as in make soak FIRMWARE=seabios; default: all of them.
soak: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines
	scripts/soak --boots $(or $(N),100) $(if $(SEED),--seed $(SEED)) $(FIRMWARE)
bench: $(B)/dependencies
	@$(MAKE) --no-print-directory all machines
	scripts/bench
	@$(MAKE) --no-print-directory bench-server
# The server's part alone.
bench-server: $(B)/dependencies
	@scripts/install-dependencies --bench
	@$(MAKE) --no-print-directory tools $(B)/bench/load $(B)/bench/echo
	scripts/bench-server

# --- installing ------------------------------------------------------------

prefix := /usr/local
INSTALL := B='$(B)' DESTDIR='$(DESTDIR)' prefix='$(prefix)' scripts/packaging/install

install: all
	@$(INSTALL)
# The database stays, and the service's options if somebody has set any.
uninstall:
	@$(INSTALL) --uninstall
deb: $(B)/dependencies
	@scripts/install-dependencies --deb
	@scripts/packaging/make-deb $(VERSION) '$(abspath $(B))/deb'

clean:
	rm -rf $(B)

# --- folders and bookkeeping -----------------------------------------------

$(B) $(B)/bios $(B)/bios/nbp $(B)/efi $(B)/efi/nbp $(B)/server/nbp $(SERVER:%=$(B)/server/%) \
$(TEST_DIRS) $(B)/vm $(B)/bench:
	@mkdir -p $@

# Changes only when DEBUG does, so that the objects follow it.
$(B)/debug-words: FORCE | $(B)
	@echo '$(DEBUG)' | cmp -s - $@ || echo '$(DEBUG)' > $@
FORCE:

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d $(B)/*/*/*/*.d $(B)/*/*/*/*/*.d)
