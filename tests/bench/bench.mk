# Benchmarks. Included by the top-level Makefile.
#   make bench          measures everything and writes BENCHMARKS.md (about 15 min)
BENCH_TOOLS := $(addprefix $(BUILD)/tests/bench/,slack_load bench_store bench_counts)

.PHONY: bench-tools
bench-tools: $(BENCH_TOOLS)

$(BUILD)/tests/bench/slack_load: $(BUILD)/tests/bench/slack_load.o $(BUILD)/tests/bench/wire.o $(LIB)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -ldl -lm -lpthread

$(BUILD)/tests/bench/bench_%: $(BUILD)/tests/bench/bench_%.o $(LIB)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -ldl -lm -lpthread
