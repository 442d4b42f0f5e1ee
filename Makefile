# mxc: `make` builds build/mxc and the runtime; `make help` lists the rest.
CC      ?= gcc
CFLAGS  ?= -O2 -g
B       ?= build
WARN    = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes
STD     = -std=gnu11

GEN     = $(filter-out gen/main.c,$(wildcard gen/*.c gen/*/*.c)) grammar/ast.c
GEN_O   = $(GEN:%.c=$(B)/%.o) $(B)/grammar/mx.tab.o $(B)/grammar/mx.lex.o

MAN     = $(B)/man/mxc.1 $(B)/man/mxc-language.7

all: $(B)/mxc $(B)/libmxrt.a $(B)/libmxrt.so $(MAN)

# ---- the compiler ----

$(B)/mxc: $(B)/gen/main.o $(GEN_O)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

$(B)/%.o: %.c | $(B)/grammar/mx.tab.h
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(CFLAGS) -I$(B)/grammar -MMD -MP -c -o $@ $<

# What flex and bison write is not held to our warnings.
$(B)/grammar/%.o: $(B)/grammar/%.c $(B)/grammar/mx.tab.h
	$(CC) $(STD) $(CFLAGS) -Igrammar -I$(B)/grammar -MMD -MP -c -o $@ $<
$(B)/grammar/mx.tab.c $(B)/grammar/mx.tab.h &: grammar/mx.y
	@mkdir -p $(@D)
	bison -Werror=conflicts-sr -Werror=conflicts-rr -d -o $(B)/grammar/mx.tab.c $<
$(B)/grammar/mx.lex.c $(B)/grammar/mx.lex.h &: grammar/mx.l
	@mkdir -p $(@D)
	flex --header-file=$(B)/grammar/mx.lex.h -o $(B)/grammar/mx.lex.c $<
$(B)/grammar/mx.tab.o $(B)/grammar/mx.lex.o: $(B)/grammar/mx.lex.h

# ---- the manual: made from the tables that the compiler itself reads ----

$(B)/man/mxc.1: MANUAL = --help=man
$(B)/man/mxc-language.7: MANUAL = --help-language=man
$(MAN): $(B)/mxc
	@mkdir -p $(@D)
	$(B)/mxc $(MANUAL) > $@.new && mv $@.new $@

# ---- the runtime: kernel sources are compiled once for each element type and instruction set ----

RT_CFLAGS  = $(STD) $(WARN) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP
# Neighbouring members of a product, just stored, would be loaded as one vector, which has to wait; and what is copied by
# words is not to be stored as vectors.
$(B)/runtime/direct_% $(B)/runtime/vector_% $(B)/runtime/kernel_%: RT_CFLAGS += -fno-tree-slp-vectorize
RT_KERNELS = kernel pack sums direct vector panel
RT_TYPED   = gemm blocks factor solve along ref
RT_SETS    = $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),generic avx2 avx512,generic)
SET_generic =
SET_avx2   = -mavx2 -mfma
# Tuned, or compilers keep addresses in vector registers, and getting them back takes the place of multiplications.
SET_avx512 = -mavx512f -mavx512dq -mavx512vl -mavx2 -mfma -mtune=skylake-avx512
SET_avx512_narrow = $(SET_avx512) -DMX_NARROW
KERNELS_avx512_narrow = direct
RT_PLAIN   = dispatch machine status team threads
RT_O       = $(RT_PLAIN:%=$(B)/runtime/%.o)

define rt_type
RT_O += $(RT_TYPED:%=$(B)/runtime/%_f$(1).o)
$(B)/runtime/%_f$(1).o: runtime/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(RT_CFLAGS) -O2 -DMX_BITS=$(1) -c -o $$@ $$<
endef
define rt_set
RT_O += $(patsubst %,$(B)/runtime/%_f$(1)_$(2).o,$(or $(KERNELS_$(2)),$(RT_KERNELS)))
$(B)/runtime/%_f$(1)_$(2).o: runtime/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(RT_CFLAGS) -O3 -ffp-contract=fast $$(SET_$(2)) -DMX_BITS=$(1) -DMX_SET=$(2) -c -o $$@ $$<
endef
$(foreach t,64 32,$(eval $(call rt_type,$(t)))$(foreach s,$(RT_SETS),$(eval $(call rt_set,$(t),$(s)))))
# Small products for what is left of whole vectors.
$(if $(filter avx512,$(RT_SETS)),$(foreach t,64 32,$(eval $(call rt_set,$(t),avx512_narrow))))

$(RT_PLAIN:%=$(B)/runtime/%.o): $(B)/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) $(RT_CFLAGS) -O2 -c -o $@ $<
$(B)/libmxrt.a: $(RT_O)
	rm -f $@ && ar rcs $@ $^
# Never unloaded: threads may be asleep in it.
$(B)/libmxrt.so: $(RT_O)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libmxrt.so.1,-z,nodelete -o $@ $^ -pthread -lm
	ln -sf libmxrt.so $@.1

# ---- examples: what the quick start runs ----

EXAMPLES = affine digits

$(B)/examples/%.c $(B)/examples/%.h &: $(B)/mxc
	@mkdir -p $(B)/examples
	cd $(B)/examples && $(abspath $(B)/mxc) $(abspath examples/$*/$*.mx)
define example
$(B)/examples/$(1).c $(B)/examples/$(1).h: examples/$(1)/$(1).mx
$(B)/examples/$(1): examples/$(1)/main.c $(B)/examples/$(1).c $(B)/libmxrt.a
	$$(CC) -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra $$(CFLAGS) -Iruntime -I$(B)/examples -o $$@ $$^ -lm
endef
$(foreach e,$(EXAMPLES),$(eval $(call example,$(e))))
.SECONDARY: $(EXAMPLES:%=$(B)/examples/%.c)

examples: $(EXAMPLES:%=$(B)/examples/%)

demo: all examples
	$(B)/examples/affine
	$(B)/examples/digits examples/digits/digits.csv

# ---- tests ----

RT_TESTS  = $(B)/tests/test_gemm_f64 $(B)/tests/test_gemm_f32 $(B)/tests/test_gemm_special_f64 \
            $(B)/tests/test_gemm_special_f32 $(B)/tests/test_factor_f64 $(B)/tests/test_factor_f32 \
            $(B)/tests/test_solve_f64 $(B)/tests/test_solve_f32 \
            $(B)/tests/test_machine_f64 $(B)/tests/test_machine_f32 \
            $(B)/tests/test_threads_f64 $(B)/tests/test_threads_f32 $(B)/tests/test_epilogue_f64 \
            $(B)/tests/test_epilogue_f32 $(B)/tests/test_openmp \
            $(B)/tests/test_dispatch $(foreach s,$(RT_SETS),$(B)/tests/test_fixed_f64_$(s) $(B)/tests/test_fixed_f32_$(s))
RT_TCC    = $(CC) $(STD) $(WARN) -O1 $(LDFLAGS) $(filter -fsanitize% -fno-sanitize%,$(CFLAGS)) -Iruntime -Itests/runtime
RT_TLIBS  = -lm
RT_TDEPS  = tests/runtime/operands.c tests/runtime/operands.h tests/runtime/tap.h $(B)/libmxrt.a

$(B)/tests/test_threads% $(B)/tests/test_epilogue%: RT_TLIBS = -pthread -lm
$(B)/tests/test_%_f64: tests/runtime/test_%.c $(RT_TDEPS)
	@mkdir -p $(@D)
	$(RT_TCC) -DMX_BITS=64 -o $@ $(filter %.c %.a,$^) $(RT_TLIBS)
$(B)/tests/test_%_f32: tests/runtime/test_%.c $(RT_TDEPS)
	@mkdir -p $(@D)
	$(RT_TCC) -DMX_BITS=32 -o $@ $(filter %.c %.a,$^) $(RT_TLIBS)
# What generated code has in the place of calls, for each instruction set that it may be compiled for.
define fixed_test
$(B)/tests/test_fixed_f$(1)_$(2): tests/runtime/test_fixed.c runtime/mxfixed.h runtime/mxstrip.h $(RT_TDEPS)
	@mkdir -p $$(@D)
	$$(RT_TCC) $$(SET_$(2)) -DMX_BITS=$(1) -o $$@ $$(filter %.c %.a,$$^) $$(RT_TLIBS)
endef
$(foreach t,64 32,$(foreach s,$(RT_SETS),$(eval $(call fixed_test,$(t),$(s)))))
OPENMP = $(shell echo 'int main(void){return 0;}' | $(CC) -x c -fopenmp - -o /dev/null 2>/dev/null && echo -fopenmp)
$(B)/tests/test_openmp: tests/runtime/test_openmp.c tests/runtime/tap.h $(B)/libmxrt.a
	@mkdir -p $(@D)
	$(RT_TCC) $(OPENMP) -o $@ $(filter %.c %.a,$^) -pthread -lm
$(B)/tests/test_dispatch: tests/runtime/test_dispatch.c tests/runtime/tap.h $(B)/libmxrt.a
	@mkdir -p $(@D)
	$(RT_TCC) -o $@ $(filter %.c %.a,$^) -pthread -lm

check: all examples $(RT_TESTS) neon-programs
	tests/run.py

# The runtime's tests for NEON, to be run by qemu, if there are a compiler and qemu for it.
NEON_CC  = aarch64-linux-gnu-gcc
HAS_NEON = $(and $(shell command -v $(NEON_CC)),$(shell command -v qemu-aarch64))
NEON_TESTS = $(filter %machine_f64 %gemm_f64 %gemm_f32 %fixed_f64_generic %fixed_f32_generic %special_f64 %special_f32 %threads_f64 %epilogue_f64,$(RT_TESTS))
neon-programs:
ifneq ($(HAS_NEON),)
	$(MAKE) B=$(B)/neon CC=$(NEON_CC) CFLAGS=-O2 LDFLAGS=-static $(NEON_TESTS:$(B)/%=$(B)/neon/%)
else
	@echo 'neon-programs: no $(NEON_CC) or no qemu-aarch64, so NEON is not tested'
endif

# The compiler with every object an allocation of its own, and the runtime, under AddressSanitizer and UBSan.
ASAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
asan: all
	$(MAKE) B=$(B)/asan CFLAGS="$(ASAN) -DMX_ARENA_EACH" RT_TESTS='$(RT_TESTS:$(B)/%=$(B)/asan/%)' all asan-programs
	MXC=$(abspath $(B)/asan/mxc) MX_RT_TESTS=$(abspath $(B)/asan/tests) tests/run.py lang calculus runtime
asan-programs: $(RT_TESTS)

golden: all
	tests/lang/run.py --golden '*'
	tests/house/run.py --golden
	git --no-pager diff --stat -- tests/lang README.md

# ---- the rest ----

# Peers are loaded when it runs (MX_BENCH_LIBS: more folders to look in; tests/bench/fetch_peers fills one); only Eigen
# has to be compiled.
BENCH_C = $(addprefix tests/bench/,gemm_bench.c peers.c peak.c alone.c)
EIGEN_INCLUDE ?= /usr/include/eigen3
NATIVE = $(shell echo 'int x;' | $(CC) -march=native -x c -c - -o /dev/null 2>/dev/null && echo -march=native)
$(B)/bench_fixed.o: tests/bench/fixed.c tests/bench/bench.h runtime/mxfixed.h runtime/mxstrip.h
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) -O2 $(NATIVE) -Iruntime -c -o $@ $<
$(B)/gemm_bench: $(BENCH_C) $(B)/bench_fixed.o tests/bench/bench.h $(B)/libmxrt.a
	$(CC) $(STD) $(WARN) -O2 -ffp-contract=fast -Iruntime -o $@ $(filter %.c %.o %.a,$^) -ldl -pthread -lm
$(B)/libmxeigen.so: tests/bench/eigen.cc
	-$(if $(wildcard $(EIGEN_INCLUDE)/Eigen/Dense),$(CXX) -O3 -DNDEBUG -march=native $(OPENMP) -shared -fPIC -I$(EIGEN_INCLUDE) -o $@ $<)
BENCH_BLAS = $(shell echo 'int main(void){return 0;}' | $(CC) -x c - -lopenblas -o /dev/null 2>/dev/null && echo -DHAVE_OPENBLAS)
$(B)/factor_bench: tests/bench/factor_bench.c $(B)/libmxrt.a
	$(CC) $(STD) $(WARN) -O2 $(BENCH_BLAS) -Iruntime -o $@ $^ $(if $(BENCH_BLAS),-lopenblas) -lm
BENCH_THREADS ?= 2
bench: all $(B)/gemm_bench $(B)/factor_bench $(B)/libmxeigen.so
	rm -f $(B)/bench.csv
	MX_BENCH_LIBS=$(abspath $(B)):$(MX_BENCH_LIBS) $(B)/gemm_bench -o $(B)/bench.csv $(BENCH)
	MX_BENCH_LIBS=$(abspath $(B)):$(MX_BENCH_LIBS) $(B)/gemm_bench -t $(BENCH_THREADS) -o $(B)/bench.csv $(BENCH)
	tests/bench/plot.py $(B)/bench.csv $(B)/bench.png
	$(B)/factor_bench
	MX_BUILD=$(abspath $(B)) tests/bench/problems.py

PREFIX ?= /usr/local
HEADERS = $(addprefix runtime/,mxrt.h mxfixed.h mxmath.h mxstrip.h mxwork.h)
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 644 $(B)/man/mxc.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(B)/man/mxc-language.7 $(DESTDIR)$(PREFIX)/share/man/man7
	install $(B)/mxc $(DESTDIR)$(PREFIX)/bin/mxc
	install -m 644 $(HEADERS) $(DESTDIR)$(PREFIX)/include
	install -m 644 $(B)/libmxrt.a $(DESTDIR)$(PREFIX)/lib
	install $(B)/libmxrt.so $(DESTDIR)$(PREFIX)/lib/libmxrt.so.1
	ln -sf libmxrt.so.1 $(DESTDIR)$(PREFIX)/lib/libmxrt.so
	printf 'prefix=%s\nName: mxrt\nDescription: runtime of code generated by mxc\nVersion: 0.1.0\nCflags: -I$${prefix}/include\nLibs: -L$${prefix}/lib -lmxrt -lm\n' \
	  '$(PREFIX)' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/mxrt.pc

FORMATTED = $(filter-out gen/graph/ops.def,$(wildcard gen/*.[ch] gen/*/*.[ch] grammar/*.[ch] runtime/*.[ch] tests/*/*.[ch]))
format:
	clang-format -i $(FORMATTED)
lint:
	clang-format --dry-run -Werror $(FORMATTED)
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
	  --suppress=objectIndex -Igrammar gen grammar

clean:
	rm -rf $(B)

help:
	@echo 'make            build/mxc, build/libmxrt.a, build/libmxrt.so, man pages in build/man'
	@echo 'make demo       the examples; trains the digits classifier'
	@echo 'make check      every test; ends in "N passed, N failed"'
	@echo 'make asan       compiler, generated code and runtime under AddressSanitizer and UBSan'
	@echo 'make bench      products, factorisations and Hessians beside other libraries (those found), as ratios; build/bench.csv, .png'
	@echo 'make golden     rewrites the expected messages and dumps; look at the difference'
	@echo 'make format     clang-format; make lint: what CI could complain of'
	@echo 'make install    into PREFIX ($(PREFIX)), DESTDIR honoured'
	@echo 'make clean'

-include $(shell find $(B) -name '*.d' -not -path '$(B)/asan/*' -not -path '$(B)/neon/*' 2>/dev/null)
.PHONY: all examples demo check neon-programs asan asan-programs golden bench install format lint clean help
