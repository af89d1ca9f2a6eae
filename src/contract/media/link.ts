import type { MediaDetail, MultipartDetail, PartDetail } from './detail.ts'

/** The same detail with the checks of parts' fields in another form: schema to name, name to function. */
export function mapMedia<A, B>(media: MediaDetail<A>, map: (check: A) => B): MediaDetail<B> {
  const { multipart, ...rest } = media
  return multipart === undefined ? rest : { ...rest, multipart: mapMultipart(multipart, map) }
}

function mapMultipart<A, B>(
  { named, others, prefix, item }: MultipartDetail<A>,
  map: (check: A) => B,
): MultipartDetail<B> {
  const part = (each: PartDetail<A>): PartDetail<B> => ({
    ...each,
    fields: each.fields.map((field) => ({ ...field, check: map(field.check) })),
  })
  return {
    named: Object.fromEntries(Object.entries(named).map(([name, each]) => [name, part(each)])),
    ...(others === undefined ? {} : { others: part(others) }),
    ...(prefix === undefined ? {} : { prefix: prefix.map(part) }),
    ...(item === undefined ? {} : { item: part(item) }),
  }
}
