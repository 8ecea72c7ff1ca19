# Jobs survive: what kills, lost leases, bursts and full disks leave behind. Included by the
# top-level Makefile.
#   make crashtest      the long run (a short one is part of make check)
#   make scarcetest     memory, descriptors, time and names run short
#   make bursttest      2,000 commands at one moment, half an hour; 60 with Slack's limits
CRASH_LIB  := $(addprefix $(BUILD)/tests/crash/,process.o pg.o world.o stage.o \
                picture.o asked.o trial.o crash_trial.o replicas_trial.o trials.o)
CRASH_BIN  := $(addprefix $(BUILD)/tests/crash/,crash replicas burst outage scarce)
CRASH_SHIM := $(BUILD)/tests/crash/die_at_write.so $(BUILD)/tests/crash/scarce.so
CRASH_POINTS ?= 300

$(CRASH_BIN): %: %.o $(CRASH_LIB) $(LIB) | $(CRASH_SHIM)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(CRASH_LIB) $(LIB) $(PKG_LIBS) -lcmocka -ldl -lm -lpthread

$(BUILD)/tests/crash/die_at_write.so: tests/crash/die_at_write.c
$(BUILD)/tests/crash/scarce.so: tests/crash/scarce_shim.c
$(CRASH_SHIM):
	@mkdir -p $(@D)
	@echo '  LD   $@'
	$(Q)$(CC) $(CSTD) $(WARN) $(if $(WERROR),-Werror) -O1 -fPIC -shared -o $@ $< -ldl

.PHONY: crashtest
crashtest: $(BUILD)/dbconn $(SANDBOX) $(CRASH_BIN)
	DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) \
	    $(BUILD)/tests/crash/crash --points $(CRASH_POINTS)
	DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) \
	    $(BUILD)/tests/crash/replicas --points $(CRASH_POINTS)

.PHONY: scarcetest
scarcetest: $(BUILD)/dbconn $(SANDBOX) $(CRASH_BIN)
	DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) \
	    $(BUILD)/tests/crash/scarce --points 60 --stop-s 20

.PHONY: bursttest
bursttest: $(BUILD)/dbconn $(SANDBOX) $(CRASH_BIN)
	DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) \
	    $(BUILD)/tests/crash/burst --commands 2000 --channels 200
	DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) \
	    $(BUILD)/tests/crash/burst --commands 60 --channels 6 --limits
