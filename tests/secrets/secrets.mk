# No secret comes out: the corpus of forms, and whole investigations over it. Included by the
# top-level Makefile.
SECRETS_BIN := $(addprefix $(BUILD)/tests/secrets/,test_forms test_investigations)

$(BUILD)/tests/secrets/test_forms: $(BUILD)/tests/secrets/test_forms.o \
    $(BUILD)/tests/secrets/forms.o $(BASE_OBJ)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lm

$(BUILD)/tests/secrets/test_investigations: $(BUILD)/tests/secrets/test_investigations.o \
    $(BUILD)/tests/secrets/forms.o $(HARNESS_OBJ) $(BASE_OBJ)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lm
