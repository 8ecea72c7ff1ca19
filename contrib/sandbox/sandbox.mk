# The sandbox, the demo and the tests that need them. Included by the top-level Makefile.
#   make sandbox            build/dbconn-sandbox
#   make demo               a whole incident in the terminal (SCENARIO=name for another)
#   make e2e                the real program against the sandbox
#   make storm              30 investigations in one channel while Slack refuses (a few in make e2e)
#   make screenshots        docs/images/, photographed from the sandbox's page
#   make check-conformance  Slack's own Node clients against the sandbox
SANDBOX_SRC := $(sort $(wildcard contrib/sandbox/*.c contrib/sandbox/*/*.c))
SANDBOX_OBJ := $(SANDBOX_SRC:%.c=$(BUILD)/%.o)
# It knows nothing of the program but the base floor.
BASE_OBJ    := $(filter $(BUILD)/src/base/%.o,$(LIB_OBJ))
SANDBOX     := $(BUILD)/dbconn-sandbox

# Tests of the sandbox itself (test_sandbox_*), and of the program with it.
E2E_SRC := $(sort $(wildcard tests/e2e/test_*.c))
HARNESS_OBJ := $(addprefix $(BUILD)/tests/e2e/,harness.o harness_look.o harness_monitor.o)
E2E_BIN := $(E2E_SRC:tests/e2e/%.c=$(BUILD)/tests/e2e/%)

# Objects that only a rule for a test program mentions are kept.
.SECONDARY: $(E2E_SRC:%.c=$(BUILD)/%.o) $(HARNESS_OBJ)

CONFORMANCE := tests/conformance

.PHONY: sandbox e2e storm screenshots demo check-conformance
sandbox: $(SANDBOX)

$(SANDBOX_OBJ): PKG_CFLAGS += -Icontrib/sandbox

$(SANDBOX): $(SANDBOX_OBJ) $(BASE_OBJ)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(BUILD)/tests/e2e/test_sandbox_%.o: PKG_CFLAGS += -Icontrib/sandbox

$(BUILD)/tests/e2e/test_sandbox_%: $(BUILD)/tests/e2e/test_sandbox_%.o \
    $(filter-out $(BUILD)/contrib/sandbox/main.o,$(SANDBOX_OBJ)) $(BASE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lm

# The harness may use the base floor too, for strings and JSON; never the program it tests.
$(BUILD)/tests/e2e/test_%: $(BUILD)/tests/e2e/test_%.o $(HARNESS_OBJ) $(BASE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lm

e2e: $(BUILD)/dbconn $(SANDBOX) $(E2E_BIN)
	@DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) tests/run.sh $(E2E_BIN)

STORM_JOBS ?= 30
storm: $(BUILD)/dbconn $(SANDBOX) $(BUILD)/tests/e2e/test_slack_storm
	@DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) STORM_JOBS=$(STORM_JOBS) $(BUILD)/tests/e2e/test_slack_storm

screenshots:
	@contrib/install-deps.sh build demo screenshots
	@$(MAKE) --no-print-directory all sandbox >/dev/null
	@BUILD=$(BUILD) contrib/sandbox/screenshots.sh docs/images

# The clients are installed once, under the folder's own node_modules, as the lock file says.
check-conformance:
	@contrib/install-deps.sh build conformance
	@$(MAKE) --no-print-directory $(SANDBOX) $(CONFORMANCE)/node_modules/.package-lock.json
	@node $(CONFORMANCE)/conformance.mjs $(abspath $(SANDBOX))

$(CONFORMANCE)/node_modules/.package-lock.json: $(CONFORMANCE)/package-lock.json
	npm ci --prefix $(CONFORMANCE) --ignore-scripts --no-audit --no-fund
	@touch $@

demo:
	@contrib/install-deps.sh build demo
	@echo 'Building dbconn and the sandbox.'
	@$(MAKE) --no-print-directory -j$$(nproc) all sandbox >/dev/null
	@BUILD=$(BUILD) contrib/sandbox/demo.sh $(SCENARIO)
