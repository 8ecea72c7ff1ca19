# What may go wrong outside. Included by the top-level Makefile.
#   make faults        every fault at every service in every incident of the sandbox, then at Slack (about
#                      40 minutes); the short form is part of make check
FAULTS_LIB  := $(addprefix $(BUILD)/tests/faults/,list.o front.o front_http2.o slack_front.o names.o)
FAULTS_BIN  := $(addprefix $(BUILD)/tests/faults/,faults slack silent trust)
FAULTS_SHIM := $(BUILD)/tests/faults/clock_jump.so

$(FAULTS_BIN): %: %.o $(FAULTS_LIB) $(HARNESS_OBJ) $(BASE_OBJ) | $(if $(SAN),,$(FAULTS_SHIM))
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lnghttp2 -lm

$(FAULTS_SHIM): tests/faults/clock_jump.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(WARN) -Wno-pedantic $(if $(WERROR),-Werror) -O1 -fPIC -shared -o $@ $< -ldl

# The sanitizers' runtime does not like to be loaded into.
check-built: export CLOCK_JUMP := $(if $(SAN),,$(abspath $(FAULTS_SHIM)))

.PHONY: faults
faults: $(BUILD)/dbconn $(SANDBOX) $(FAULTS_BIN)
	@code=0; for test in $(FAULTS_BIN); do \
	    FAULTS=all CLOCK_JUMP=$(abspath $(FAULTS_SHIM)) DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) \
	        $$test || code=1; \
	done; exit $$code
