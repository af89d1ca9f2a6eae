import { defineConfig } from 'vitest/config'

// unit: beside the source, pure, fast. suites: real sockets, processes and fixtures. soak: long and time-bound.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 1 },
          include: ['src/**/*.test.ts', 'test/rooms.test.ts'],
          isolate: false,
        },
      },
      {
        test: {
          name: 'suites',
          sequence: { groupOrder: 2 },
          include: ['test/{conformance,contract,property,e2e,attacks}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'soak',
          sequence: { groupOrder: 3 },
          include: ['soak/**/*.test.ts'],
          testTimeout: 3_600_000,
        },
      },
    ],
  },
})
