import { expect, it } from 'vitest'
import { compileInThread } from './compile-in-thread.ts'

it('says that compiling was given up where the gate stops meanwhile', async () => {
  const ending = new AbortController()
  const compiled = compileInThread('sallyport.yaml', 'store', ending.signal)
  ending.abort()
  await expect(compiled).rejects.toThrow('given up, because the gate stops')
})
