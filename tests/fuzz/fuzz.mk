# Fuzzing: every parser of outside data, fed with arbitrary bytes. Included by the top-level
# Makefile. Needs clang and its libFuzzer (contrib/install-deps.sh fuzz).
#   make fuzz                      each target for 5 seconds, one on each core
#   make fuzz FUZZ_SECONDS=600     each for 10 minutes
#   make fuzz FUZZ="redact dsn"    only these
#   make fuzz-replay               the corpora once, with any compiler (a part of make check)
FUZZ_SECONDS ?= 5
FUZZ_JOBS    ?= $(shell nproc)
FUZZ         ?=
FUZZ_SEED    ?=
FUZZ_CC      ?= clang
FUZZ_BUILD   ?= build/fuzz
FUZZ_OBJ     := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/fuzz/libfuzzer.c tests/fuzz/replay.c,\
                  $(sort $(wildcard tests/fuzz/*.c))))
FUZZ_REPLAY  := $(BUILD)/tests/fuzz/replay
FUZZ_BIN     := $(BUILD)/tests/fuzz/fuzz

# The targets read private headers too: what is fuzzed is a parser, not a floor.
$(BUILD)/tests/fuzz/%.o: PKG_CFLAGS += -Isrc -Isrc/sources -Isrc/slack -Isrc/app -Itests/fuzz

# transport.c stands in for net/http.c: of two definitions the first one counts.
FUZZ_LDFLAGS := -Wl,-z,muldefs

.SECONDARY: $(FUZZ_OBJ) $(BUILD)/tests/fuzz/replay.o $(BUILD)/tests/fuzz/libfuzzer.o

$(FUZZ_REPLAY): $(BUILD)/tests/fuzz/replay.o $(FUZZ_OBJ) $(LIB)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) $(FUZZ_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -ldl -lm -lpthread

$(FUZZ_BIN): $(BUILD)/tests/fuzz/libfuzzer.o $(FUZZ_OBJ) $(LIB)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) $(FUZZ_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS) -ldl -lm -lpthread

.PHONY: fuzz fuzz-bin fuzz-replay
fuzz-replay: $(FUZZ_REPLAY)
	@tests/run.sh $(FUZZ_REPLAY)

fuzz-bin: $(FUZZ_BIN)

fuzz:
	@contrib/install-deps.sh build fuzz
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(FUZZ_BUILD) CC=$(FUZZ_CC) HARDEN= HARDLD= WERROR= \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	    SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzz-bin
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_JOBS=$(FUZZ_JOBS) FUZZ_SEED=$(FUZZ_SEED) \
	    tests/fuzz/run.sh $(FUZZ_BUILD)/tests/fuzz/fuzz $(FUZZ_BUILD) $(FUZZ)
