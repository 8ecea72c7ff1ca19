# Which lines the tests reach. Included by the top-level Makefile. gcov comes with gcc.
#   make coverage        unit tests, corpora and end-to-end tests; then a table by folder, in
#                        build/coverage/summary.txt, and what was missed in build/coverage/missed.txt
COVERAGE_BUILD := build/coverage

.PHONY: coverage coverage-run
coverage:
	@find $(COVERAGE_BUILD) -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(COVERAGE_BUILD) HARDEN= HARDLD= CFLAGS='-O0 -g' \
	    SAN=--coverage coverage-run; ran=$$?; \
	tests/coverage/summary.sh $(COVERAGE_BUILD) && exit $$ran

coverage-run: $(BUILD)/dbconn $(SANDBOX) $(UNIT_BIN) $(FUZZ_REPLAY) $(E2E_BIN)
	@DBCONN=$(BUILD)/dbconn SANDBOX=$(SANDBOX) tests/run.sh $(UNIT_BIN) $(FUZZ_REPLAY) $(E2E_BIN)
