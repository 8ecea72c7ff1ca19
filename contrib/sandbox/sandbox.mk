# The sandbox, the demo and the tests that need them. Included by the top-level Makefile.
#   make sandbox            build/dbconn-sandbox
#   make demo               a whole incident in the terminal (SCENARIO=name for another)
#   make e2e                the real program against the sandbox
#   make check-conformance  Slack's own Node clients against the sandbox
SANDBOX_SRC := $(sort $(wildcard contrib/sandbox/*.c contrib/sandbox/*/*.c))
SANDBOX_OBJ := $(SANDBOX_SRC:%.c=$(BUILD)/%.o)
# It knows nothing of the program but the base floor.
BASE_OBJ    := $(filter $(BUILD)/src/base/%.o,$(LIB_OBJ))
SANDBOX     := $(BUILD)/dbconn-sandbox

.PHONY: sandbox
sandbox: $(SANDBOX)

$(SANDBOX_OBJ): PKG_CFLAGS += -Icontrib/sandbox

$(SANDBOX): $(SANDBOX_OBJ) $(BASE_OBJ)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

# The clients are installed once, under the folder's own node_modules, as the lock file says.
CONFORMANCE := tests/conformance
.PHONY: check-conformance
check-conformance: $(SANDBOX) $(CONFORMANCE)/node_modules/.package-lock.json
	node $(CONFORMANCE)/conformance.mjs $(abspath $(SANDBOX))

$(CONFORMANCE)/node_modules/.package-lock.json: $(CONFORMANCE)/package-lock.json
	npm ci --prefix $(CONFORMANCE) --ignore-scripts --no-audit --no-fund
	@touch $@
