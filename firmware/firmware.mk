# firmware.mk - the images of the diode box: make firmware [DIODE=FILE] [BIDIRECTIONAL=1] [FW_BOARDS=zynq BOARD_HZ=333333333]
#
# $(B)/firmware/BOARD-ROLE.elf, from the configuration header that `katamichi firmware-config` makes of DIODE.
# Every image is sealed (its CRC put in), its stack is bounded from its own code, and its sizes are held to limits.
# BIDIRECTIONAL=1 makes BOARD-ROLE-bidirectional.elf instead: wrong on purpose, for the tests that have to catch it.
# FW_NAME=NAME makes BOARD-ROLE-NAME.elf, so that images of several DIODE files lie side by side.

DIODE     ?= tests/data/diode.ini
FW_BOARDS := zynq imx6ul icicle
FW_ROLES  := ingress egress
FW_KIND   := $(if $(BIDIRECTIONAL),-bidirectional)$(if $(FW_NAME),-$(FW_NAME))
FW_CONFIG := $(B)/cross/config$(FW_KIND)
FW_IMAGES := $(foreach b,$(FW_BOARDS),$(foreach r,$(FW_ROLES),$(B)/firmware/$(b)-$(r)$(FW_KIND).elf))
FW_STACK  := 2048
FW_CODE_MAX := 65536
FW_RAM_MAX  := 196608

FW_ARM    := arm-none-eabi-
FW_RISCV  := riscv64-unknown-elf-
FW_CORE   := common/core/frame.c common/core/geometry.c common/core/pacer.c
FW_COMMON := $(FW_CORE) $(FIRMWARE) $(call src,firmware/node/*.c) firmware/cpu/memory.c
FW_SRC_zynq   := $(addprefix firmware/,board/zynq/board.c cpu/armv7.S cpu/mmu.c driver/gem.c driver/gic.c driver/uart_cadence.c driver/wdog_a9.c)
FW_CPU_zynq   := -mcpu=cortex-a9 -marm -mfloat-abi=soft -mno-unaligned-access
FW_CROSS_zynq := $(FW_ARM)
FW_SRC_imx6ul   := $(addprefix firmware/,board/imx6ul/board.c cpu/armv7.S cpu/mmu.c driver/enet.c driver/gic.c driver/uart_imx.c driver/wdog_imx.c)
FW_CPU_imx6ul   := -mcpu=cortex-a7 -marm -mfloat-abi=soft -mno-unaligned-access
FW_CROSS_imx6ul := $(FW_ARM)
FW_SRC_icicle   := $(addprefix firmware/,board/icicle/board.c cpu/riscv64.S driver/gem.c driver/uart_16550.c driver/wdog_mss.c)
FW_CPU_icicle   := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mstrict-align
FW_CROSS_icicle := $(FW_RISCV)

FW_FLAGS = -std=c11 -O2 -g -ffreestanding -fno-tree-loop-distribute-patterns -fno-jump-tables -fno-common -ffunction-sections -fdata-sections \
           -fno-stack-protector -fstack-usage -Wstack-usage=512 -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes \
           -Wmissing-prototypes -Wvla -Werror -DKM_VERSION='"$(VERSION)"' -ffile-prefix-map=$(CURDIR)=. \
           -isystem firmware/cpu/include -Icommon -I. -Ifirmware -I$(FW_CONFIG) $(if $(BIDIRECTIONAL),-DKM_FIRMWARE_BIDIRECTIONAL) \
           $(if $(BOARD_HZ),-DBOARD_HZ=$(BOARD_HZ)u)

$(FW_CONFIG)/config.h: $(B)/katamichi FORCE
	@mkdir -p $(@D)
	@$(B)/katamichi firmware-config $(DIODE) --header >$@.new && { cmp -s $@.new $@ || cp $@.new $@; }; r=$$?; rm -f $@.new; exit $$r

# $(1) board, $(2) role
define fw_image
FW_OBJ_$(1)-$(2) := $$(addprefix $(B)/cross/$(1)-$(2)$(FW_KIND)/,$$(addsuffix .o,$$(FW_COMMON) $$(FW_SRC_$(1))))
$(B)/cross/$(1)-$(2)$(FW_KIND)/%.o: % $(FW_CONFIG)/config.h $(B)/.fwflags$(FW_KIND)
	$$(say) $(1) $$<
	@mkdir -p $$(@D)
	$$(Q)$$(FW_CROSS_$(1))gcc $$(FW_CPU_$(1)) $$(FW_FLAGS) -Ifirmware/board/$(1) $(if $(filter egress,$(2)),-DNODE_EGRESS) -MMD -MP -c -o $$@ $$<
$(B)/firmware/$(1)-$(2)$(FW_KIND).elf: $$(FW_OBJ_$(1)-$(2)) firmware/board/$(1)/link.ld firmware/seal.py firmware/stack.py
	@mkdir -p $$(@D)
	$$(Q)$$(FW_CROSS_$(1))gcc $$(FW_CPU_$(1)) -nostdlib -static -Wl,--gc-sections -Wl,--fatal-warnings -Wl,--defsym=STACK_SIZE=$(FW_STACK) \
	    -Wl,-Map=$$(basename $$@).map -T firmware/board/$(1)/link.ld -o $$@.new $$(FW_OBJ_$(1)-$(2)) -lgcc
	$$(Q)$$(PYTHON) -B firmware/stack.py $$(FW_CROSS_$(1))objdump $$@.new $(B)/cross/$(1)-$(2)$(FW_KIND) $(FW_STACK) >$$(basename $$@).stack
	$$(Q)$$(PYTHON) -B firmware/seal.py $$@.new --code $(FW_CODE_MAX) --ram $(FW_RAM_MAX) --stack $$(basename $$@).stack >$$(basename $$@).size
	$$(Q)mv $$@.new $$@
endef
$(foreach b,$(FW_BOARDS),$(foreach r,$(FW_ROLES),$(eval $(call fw_image,$(b),$(r)))))

$(B)/.fwflags$(FW_KIND): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FW_FLAGS) $(foreach b,$(FW_BOARDS),$(FW_CPU_$(b))) $(FW_STACK))' | cmp -s - $@ || \
	    printf '%s\n' '$(subst ','\'',$(FW_FLAGS) $(foreach b,$(FW_BOARDS),$(FW_CPU_$(b))) $(FW_STACK))' >$@

# The node on the host, on a board that the test plays.
CFLAGS_tests/unit/test_node := -Ifirmware -Itests/unit/node
CFLAGS_tests/unit/test_node_egress := $(CFLAGS_tests/unit/test_node)

.PHONY: firmware firmware-images
firmware-images: $(FW_IMAGES)
firmware:
	@tools/deps.sh build firmware
	@$(SUB) --no-print-directory firmware-images
	@cat $(patsubst %.elf,%.size,$(FW_IMAGES))
