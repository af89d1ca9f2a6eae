/**
 * What an upstream's error must not tell a caller (OWASP API8, standards 2.9): where it stopped in which code, what it
 * asked its database, which software it is, where its files and neighbours are. Told by forms that plain words do not
 * have: a rule that finds an error message in a sentence about SQL would take away what callers need.
 */

interface LeakRule {
  readonly name: string
  readonly pattern: RegExp
}

const rule = (name: string, ...patterns: readonly RegExp[]): LeakRule => ({
  name,
  pattern: new RegExp(patterns.map(({ source }) => `(?:${source})`).join('|'), 'm'),
})

/** Every repetition is bounded, or ends at what it may not hold: no text takes more than a pass for each. */
const RULES: readonly LeakRule[] = [
  rule(
    'stack-trace',
    // Java, Kotlin, Scala
    /^\s{0,20}at [\w$.<>/]{1,300}\((?:[\w$]{1,100}\.(?:java|kt|scala|groovy|clj):\d|Native Method|Unknown Source)/,
    /\bCaused by: [\w$.]{1,200}(?:Exception|Error)\b/,
    /\bException in thread "/,
    /\b(?:java|javax|jakarta|kotlin|scala|org\.springframework|org\.hibernate|com\.fasterxml)\.[\w.$]{1,200}(?:Exception|Error)\b/,
    /\w\([\w$]{1,100}\.(?:java|kt|scala|groovy|clj):\d/,
    /\b(?:[a-z][\w$]{0,40}\.){2,8}[A-Z][\w$]{0,100}(?:Exception|Error)\b/,
    /\(class (?:[a-z][\w$]{0,40}\.){2,8}[A-Z]/,
    // Python
    /Traceback \(most recent call last\)/,
    /\bFile "[^"\n]{1,300}", line \d/,
    // .NET
    /\bat [^\n]{1,300}\) in [^\n]{1,300}:line \d/,
    /\b(?:System|Microsoft)\.(?:[A-Z]\w{0,60}\.){0,8}[A-Z]\w{0,60}Exception\b/,
    /^\s{0,20}at (?:System|Microsoft)\.[\w.`<>[\]]{1,200}\(/,
    /\bObject reference not set to an instance of an object\b/,
    // Node.js
    /\bCannot (?:read|set) propert(?:y|ies) (?:'[^'\n]{0,80}' )?of (?:undefined|null)\b/,
    /\bat (?:[^\n()]{1,200} \()?(?:file:\/\/|node:|\/|[A-Za-z]:\\)[^\s()]{1,300}:\d{1,7}:\d/,
    // PHP
    /\bPHP (?:Fatal error|Parse error|Warning|Notice|Deprecated):/,
    /\bStack trace:\s{1,4}#0 /,
    /^#\d{1,3} [^\n]{1,300}\.php\(\d/,
    /\.php<?\/?b?>? on line <?b?>?\d/,
    // Ruby
    /[\w./-]{1,200}\.rb:\d{1,7}:in [`'‘]/,
    /\bundefined (?:local variable or )?method [`'‘][^'’\n]{1,100}['’] for\b/,
    // Elixir, Go, Rust
    /^\s{0,10}\*\* \([A-Z][\w.]{1,80}\) /,
    /\bruntime error: [a-z]|\bcannot unmarshal \w{1,20} into Go\b/,
    /^goroutine \d{1,9} \[/,
    /\bpanic: (?:runtime error|interface conversion|assignment to entry)/,
    /\.go:\d{1,7} \+0x[0-9a-f]/,
    /\bthread '[^'\n]{1,100}' panicked at /,
  ),
  rule(
    'sql',
    /\bSQLSTATE[[\s:]/,
    /You have an error in your SQL syntax/,
    /\bORA-\d{5}\b/,
    /\bER_[A-Z_]{4,60}:/,
    /\bSQLITE_[A-Z]{4,20}\b|\bsqlite3?\.[A-Z]\w{2,40}Error\b/,
    /\bnear "[^"\n]{0,200}": syntax error/,
    /\bno such (?:table|column): \w/,
    /\bsyntax error at or near "/,
    /\b(?:relation|column|function) "?[\w.]{1,100}"?(?:\([^)\n]{0,100}\))? (?:of relation "[^"\n]{1,100}" )?does not exist/,
    /\bviolates (?:unique|foreign key|check|not-null|exclusion) constraint\b/,
    /\b(?:PG::[A-Z]\w{2,60}|psycopg2?\.|pymysql\.|Mysql2::|ActiveRecord::|sqlalchemy\.|PDOException|SqlException|JDBCException)/,
    /\bUnclosed quotation mark after the character string\b/,
    /\bIncorrect syntax near (?:'|the keyword)/,
    /\bpq: \w|\bsql: (?:no rows|database is closed|Scan error|expected \d)/,
    /\bTable '[\w.-]{1,100}' doesn't exist\b|\bAccess denied for user '/,
    /\b(?:password|Ident|[Pp]eer) authentication failed for user\b|\binvalid input syntax for (?:type )?\w/,
    /\bInvalid (?:object|column) name '|\bViolation of (?:PRIMARY|UNIQUE|FOREIGN) KEY constraint\b/,
    /\bConversion failed when converting the \w|\bError establishing a database connection\b/,
    /\b(?:UNIQUE|FOREIGN KEY|CHECK|NOT NULL) constraint failed\b/,
    /\b(?:Sequelize|TypeORM|PrismaClient)\w{1,60}Error\b|\bQueryFailedError\b|\bInvalid `prisma\./,
    /\bWRONGTYPE Operation against\b|\bNOAUTH Authentication required\b/,
    /\b(?:index_not_found|search_phase_execution|mapper_parsing|x_content_parse)_exception\b/,
    /\bselect (?:\*|["`][\w"`., ]{1,200}) from ["`]\w/,
    /\bDuplicate entry '[^'\n]{0,200}' for key\b/,
    /\bUnknown column '[^'\n]{1,200}' in '/,
    /\bE11000 duplicate key error\b|\bMongo(?:Server|Network|Bulk\w{0,20})Error\b/,
    /\bSELECT\s[^\n;]{1,300}?\sFROM\s[\w."`[\]]{1,100}\s+(?:WHERE|JOIN|INNER|LEFT|ORDER BY|GROUP BY|LIMIT)\b/,
    /\bINSERT INTO [\w."`[\]]{1,100}\s{0,3}\(|\bUPDATE [\w."`[\]]{1,100} SET [\w."`[\]]{1,100}\s{0,3}=|\bDELETE FROM [\w."`[\]]{1,100} WHERE\b/,
  ),
  rule(
    'framework',
    /Whitelabel Error Page/,
    /\bWerkzeug (?:Debugger|powered)|\bwerkzeug\.exceptions\b/,
    /\bDEBUG = True\b/,
    /\bAction Controller: Exception caught|\bRails\.root: /,
    /\bSymfony\\Component\\|\bIlluminate\\[A-Z]|\bLaravel\\/,
    /Server Error in '[^'\n]{0,100}' Application/,
    /\b(?:Apache Tomcat|Apache|nginx|openresty|Microsoft-IIS|JBossWeb|Phusion Passenger|gunicorn|Werkzeug|PHP)\/\d/,
    /<center>(?:nginx|openresty|cloudflare|tengine)<\/center>|<h2>\d{3} - [^<\n]{1,60}<\/h2>\s{0,5}<h3>/,
    /\bupstream connect error or disconnect\/reset\b|\bwindow\.ignite\b/,
    /\bPowered by Jetty:\/\/|\bphpinfo\(\)/,
    /Version Information:.{0,40}Microsoft \.NET Framework/,
  ),
  rule(
    'path',
    /(?:^|[\s"'(=:[<>,])\/(?:var\/(?:www|lib|log|run|task|app|opt)|usr\/(?:src|lib|local|share|bin)|etc\/[a-z]{2,20}(?:\.|\/)?[a-z]|root\/[\w.]|home\/[\w.-]{1,40}\/[\w.-]{1,100}\/|proc\/(?:self|\d))/,
    /(?:^|[\s"'(=:[<>,])(?:file:\/\/)?\/[\w@.-]{1,100}(?:\/[\w@.-]{1,100}){1,20}\.(?:py|js|ts|mjs|cjs|jsx|tsx|java|rb|php|go|rs|cs|jar|war|class|so|conf|ini|env|pem|key|sock|sqlite)\b/,
    /\b[A-Za-z]:\\(?:[^\\\n"<>|]{1,100}\\){1,20}[^\\\n"<>|]/,
    /\b(?:ENOENT|EACCES|EPERM|EISDIR|ENOTDIR): /,
    /\/(?:node_modules|site-packages|dist-packages|gems)\/[\w@.-]/,
  ),
  rule(
    'host',
    /(?<![\w.-])(?:10|127)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w-]|\.\d)/,
    /(?<![\w.-])(?:192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){2}(?![\w-]|\.\d)/,
    /(?<![\w@.-])[A-Za-z0-9][\w-]{0,62}(?:\.[\w-]{1,63}){0,6}\.(?:internal|intranet|localdomain|lan|cluster\.local|svc\.cluster)\b(?!\()/,
    /\bhttps?:\/\/[A-Za-z][\w-]{0,62}:\d{2,5}\b|(?<![\w.-])[A-Za-z][\w-]{0,62}\.[\w-]{1,63}\.svc(?::\d|\/|$)/,
    /\barn:aws[\w-]{0,10}:[a-z\d-]{1,40}:|\b(?:AKIA|ASIA)[A-Z\d]{16}\b/,
    /\blocalhost:\d{2,5}\b/,
    /\b(?:ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN)\b|\bgetaddrinfo\b/,
  ),
]

/** Texts of one error that are read; an error that says more is no message to a caller. */
const MAX_TEXT = 65_536

/** The name of the first rule that an error's texts meet, `size` where there is too much of them; null: none. */
export function errorLeak(value: unknown): string | null {
  const texts: string[] = []
  if (!gather(value, texts, MAX_TEXT)) return 'size'
  const text = texts.join('\n')
  for (const { name, pattern } of RULES) if (pattern.test(text)) return name
  const plain = plainText(text)
  if (plain !== text) for (const { name, pattern } of RULES) if (pattern.test(plain)) return name
  return null
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  amp: '&',
  nbsp: ' ',
}
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\n', t: ' ' }

/** Without what HTML, JSON in text, and encodings of two bytes write between the characters of an error. */
function plainText(text: string): string {
  return text
    .replaceAll('\0', '')
    .replace(/<br ?\/?>|<\/?(?:p|li|tr|div|h\d)>/gi, '\n')
    .replace(/<\/?[a-z][^<>]{0,300}>/gi, ' ')
    .replace(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) =>
      name === undefined
        ? characterOf(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal))
        : (ENTITIES[String(name).toLowerCase()] ?? whole),
    )
    .replace(/\\([nrt"'\\/])/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped)
}

function characterOf(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : ' '
}

/** False where they are more than there is room for. Recursion is bounded by the scanner's depth limit. */
function gather(value: unknown, into: string[], room: number): boolean {
  let left = room
  const visit = (at: unknown): boolean => {
    if (typeof at === 'string') {
      left -= at.length + 1
      if (left >= 0) into.push(at)
      return left >= 0
    }
    if (typeof at !== 'object' || at === null) return true
    // Names are the upstream's too: where tables or classes have errors of their own, they are names.
    if (!Array.isArray(at) && !Object.keys(at).every(visit)) return false
    return Object.values(at).every(visit)
  }
  return visit(value)
}
