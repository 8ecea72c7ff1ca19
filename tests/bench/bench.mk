# Benchmarks. Included by the top-level Makefile.
#   make bench          everything, with @slack/bolt beside; writes BENCHMARKS.md (about 15 min)
#   make bench QUICK=1  the same, fewer and shorter runs
#   make bench-counts   instructions of the hot paths, against tests/bench/counts.json
#   make soak SOAK_MINUTES=60
BENCH       := tests/bench
BENCH_LOAD  := $(BUILD)/$(BENCH)/slack_load
BENCH_TOOLS := $(BENCH_LOAD) $(BUILD)/$(BENCH)/bench_store $(BUILD)/$(BENCH)/bench_counts
BENCH_PEER  := $(BENCH)/peer/node_modules/.package-lock.json
SOAK_MINUTES ?= 60

.PHONY: bench bench-tools bench-counts soak
.SECONDARY: $(BENCH_TOOLS:%=%.o)
bench-tools: $(BENCH_TOOLS)

bench:
	@contrib/install-deps.sh build bench
	@$(MAKE) --no-print-directory $(BUILD)/dbconn $(SANDBOX) $(BENCH_TOOLS) $(BENCH_PEER)
	@BUILD=$(BUILD) python3 $(BENCH)/bench.py $(if $(QUICK),--quick) $(BENCH_ARGS)

bench-counts:
	@contrib/install-deps.sh build bench
	@$(MAKE) --no-print-directory $(BUILD)/$(BENCH)/bench_counts
	@BUILD=$(BUILD) CC='$(CC)' CFLAGS='$(CFLAGS)' python3 $(BENCH)/bench_counts.py $(if $(UPDATE),--update)

soak:
	@contrib/install-deps.sh build bench
	@$(MAKE) --no-print-directory $(BUILD)/dbconn $(BENCH_TOOLS)
	@BUILD=$(BUILD) python3 $(BENCH)/soak.py $(SOAK_MINUTES)

$(BENCH_PEER): $(BENCH)/peer/package-lock.json
	npm ci --prefix $(BENCH)/peer --ignore-scripts --no-audit --no-fund
	@touch $@

$(BENCH_LOAD): $(BUILD)/$(BENCH)/wire.o
$(BENCH_TOOLS): %: %.o $(LIB)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(PKG_LIBS) -ldl -lm -lpthread
