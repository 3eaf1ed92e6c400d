// A plugin of QEMU's TCG: which code of the guest's kernel ran between two marks, an instruction that
// does nothing and that nobody else uses (src/vm/marks.h). For each stretch between marks it writes
// to the file `out`: 8 bytes with the number of blocks, then 8 bytes with the begin and 8 with the
// size of each, in the byte order of this machine.
//
// Its interface is QEMU's plugin API, version 1 (QEMU 4.2 to 8.2), as docs/devel/tcg-plugins describes
// it. Debian has no header of it, so what is used here is declared here.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/vm/marks.h"

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*on_translated)(plugin_id, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb* tb, int operation, void* to,
                                              uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn* insn,
                                            void (*on_executed)(unsigned, void*), int flags,
                                            void* data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb* tb);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* tb, size_t index);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn* insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn* insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* insn);

EXPORT int qemu_plugin_version = 1;

enum { ADD_TO_64_BITS = 0, NEEDS_NO_REGISTERS = 0 };

struct block {
  uint64_t begin;
  uint64_t size;
  uint64_t runs;  // since the last mark
  struct block* next;
};

static struct block* blocks;
static FILE* out;

static void write_number(uint64_t number) { fwrite(&number, sizeof number, 1, out); }

static void on_mark(unsigned cpu, void* nothing) {
  (void)cpu, (void)nothing;
  uint64_t count = 0;
  for (struct block* block = blocks; block; block = block->next) count += block->runs != 0;
  write_number(count);
  for (struct block* block = blocks; block; block = block->next) {
    if (!block->runs) continue;
    block->runs = 0;
    write_number(block->begin);
    write_number(block->size);
  }
  fflush(out);
}

static void on_translated(plugin_id id, struct qemu_plugin_tb* tb) {
  (void)id;
  static const uint8_t mark[] = SOCKPROOF_MARK_BYTES;
  const size_t count = qemu_plugin_tb_n_insns(tb);
  const uint64_t begin = qemu_plugin_tb_vaddr(tb);
  if (begin >> 63) {  // the kernel's half
    struct block* block = calloc(1, sizeof *block);
    if (!block) abort();
    const struct qemu_plugin_insn* last = qemu_plugin_tb_get_insn(tb, count - 1);
    block->begin = begin;
    block->size = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last) - begin;
    block->next = blocks;
    blocks = block;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_TO_64_BITS, &block->runs, 1);
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    if (qemu_plugin_insn_size(insn) != sizeof mark) continue;
    if (memcmp(qemu_plugin_insn_data(insn), mark, sizeof mark) != 0) continue;
    qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, NEEDS_NO_REGISTERS, NULL);
  }
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info_t* info, int count,
                               char** arguments) {
  (void)info;
  for (int i = 0; i < count; ++i) {
    if (strncmp(arguments[i], "out=", 4) == 0) out = fopen(arguments[i] + 4, "wb");
  }
  if (!out) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
  return 0;
}
