// An instruction that does nothing, by which a guest tells a plugin of QEMU (src/reach/plugin.c) that a
// test begins or has ended: a long no-op (0f 1f /0) with an address that means something to us alone.
// Plain C, as the plugin is.
#pragma once

#define SOCKPROOF_MARK_BYTES {0x0f, 0x1f, 0x80, 0x50, 0xc4, 0x0f, 0x5e}
#define SOCKPROOF_MARK ".byte 0x0f, 0x1f, 0x80, 0x50, 0xc4, 0x0f, 0x5e"
