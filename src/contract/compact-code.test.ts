import { describe, expect, it } from 'vitest'
import { compactCode } from './compact-code.ts'

const HEAD = 'function validate1(data, {instancePath="", parentData, parentDataProperty, rootData=data}={})'
const compact = (body: string): string | null => compactCode(`${HEAD}{${body}}`)
const expected = (body: string): string => `function validate1(data, {instancePath=""}={}){${body}}`

describe('compactCode', () => {
  it('takes out of errors what nobody reads, and leaves the name of what is missing', () => {
    expect(compact('e = [{instancePath,schemaPath:"#/a",keyword:"type",params:{type: "string"}}];')).toBe(
      expected('e = [{instancePath,keyword:"type"}];'),
    )
    const required = 'keyword:"required",params:{missingProperty: missing0}'
    expect(compact(`e = [{instancePath,schemaPath:"#/a",${required}}];`)).toBe(
      expected(`e = [{instancePath,${required}}];`),
    )
    const nested = 'keyword:"enum",params:{allowedValues: {"a":1}}'
    expect(compact(`e = [{instancePath,${nested}}];`)).toBe(expected(`e = [{instancePath,${nested}}];`))
  })

  it('takes parents and root out of calls, passed on or named, and leaves what comes after them', () => {
    expect(
      compact(
        'validate2(data0, {instancePath:instancePath+"/a",parentData:data,parentDataProperty:"a\\"}",rootData})',
      ),
    ).toBe(expected('validate2(data0, {instancePath:instancePath+"/a"})'))
    expect(
      compact('validate2(data, {instancePath,parentData,parentDataProperty,rootData,dynamicAnchors})'),
    ).toBe(expected('validate2(data, {instancePath,dynamicAnchors})'))
  })

  it('takes out empty blocks and counts that nothing compares, also inside one another', () => {
    expect(compact('const _errs1 = errors;if(errors === _errs1){if(valid0){}}else {}')).toBe(expected(''))
    const used = 'const _errs1 = errors;if(errors === _errs1){f()}'
    expect(compact(used)).toBe(expected(used))
    const branched = 'if(errors === e){}else {f()}if(a){f()}else if(errors === e){}'
    expect(compact(branched)).toBe(expected(branched))
  })

  it('leaves texts alone', () => {
    const text =
      'x("schemaPath:\\"a\\",else {}if(valid0){},parentData:a,parentDataProperty:b,rootData} const _errs9 = errors;");'
    expect(compact(text)).toBe(expected(text))
  })

  it('gives back nothing where parents or root are read, or texts are written in another way', () => {
    expect(compact('f(rootData)')).toBeNull()
    expect(compact('f(parentData[parentDataProperty])')).toBeNull()
    expect(compact("f('else {}')")).toBeNull()
    expect(compact('f(`else {}`)')).toBeNull()
    expect(compactCode('function validate1(data){}')).toBeNull()
  })
})
