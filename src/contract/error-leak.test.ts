import { describe, expect, it } from 'vitest'
import { errorLeak } from './error-leak.ts'

describe('errors that tell of the upstream’s inside', () => {
  it.each([
    ['stack-trace', 'java.lang.NullPointerException: null\n\tat com.shop.Orders.get(Orders.java:42)'],
    ['stack-trace', 'at com.shop.Orders$Inner.<init>(Orders.kt:7)'],
    ['stack-trace', 'Exception in thread "main" x'],
    ['stack-trace', 'org.springframework.web.HttpMessageNotReadableException: JSON parse error'],
    ['stack-trace', 'Traceback (most recent call last):\n  File "app.py", line 3, in get'],
    ['stack-trace', 'System.NullReferenceException: Object reference not set'],
    ['stack-trace', '   at Shop.Orders.Get(Int32 id) in C:\\src\\Orders.cs:line 12'],
    ['stack-trace', 'TypeError: x\n    at Orders.get (/srv/shop/orders.js:10:15)'],
    ['stack-trace', 'Error\n    at node:internal/process/task_queues:95:5'],
    ['stack-trace', 'PHP Fatal error:  Uncaught Error'],
    ['stack-trace', '#0 /var/www/index.php(12): get()'],
    ['stack-trace', 'Notice: x in <b>/a/b.php</b> on line <b>3</b>'],
    ['stack-trace', "app/models/order.rb:12:in `find'"],
    ['stack-trace', 'panic: runtime error: invalid memory address'],
    ['stack-trace', 'goroutine 1 [running]:'],
    ['stack-trace', "thread 'main' panicked at src/main.rs:2"],
    ['stack-trace', 'Unrecognized field "x" (class com.acme.dto.User), not marked as ignorable'],
    ['stack-trace', 'com.acme.billing.PaymentException: declined'],
    ['stack-trace', 'Object reference not set to an instance of an object.'],
    ['stack-trace', "Cannot read properties of undefined (reading 'id')"],
    ['stack-trace', "undefined method `name' for nil:NilClass"],
    ['stack-trace', 'json: cannot unmarshal string into Go struct field Order.qty of type int'],
    ['stack-trace', '** (RuntimeError) oops'],
    ['stack-trace', 'File &quot;/srv/app/main.py&quot;, line 3'],
    ['stack-trace', '{"trace":"x\\n\\tat com.acme.Svc.get(Native Method)"}'],
    ['stack-trace', [...'Traceback (most recent call last)'].join('\0')],
    ['sql', 'pq: password authentication failed for user "app"'],
    ['sql', 'sql: no rows in result set'],
    ['sql', "Table 'shop.orders' doesn't exist"],
    ['sql', "Invalid object name 'dbo.Users'."],
    ['sql', 'UNIQUE constraint failed: users.email'],
    ['sql', 'invalid input syntax for type integer: "abc"'],
    ['sql', 'select * from "users" where "id" = $1'],
    ['sql', 'index_not_found_exception'],
    ['framework', '<hr><center>nginx</center>'],
    ['framework', 'upstream connect error or disconnect/reset before headers'],
    ['host', 'request to http://orders-service:3000/internal failed'],
    ['host', 'User: arn:aws:sts::123456789012:assumed-role/app is not authorized'],
    ['sql', 'SQLSTATE[42S02]: Base table or view not found'],
    ['sql', 'You have an error in your SQL syntax; check the manual'],
    ['sql', 'ORA-00942: table or view does not exist'],
    ['sql', 'ER_DUP_ENTRY: Duplicate'],
    ['sql', 'SQLITE_CONSTRAINT: UNIQUE constraint failed: users.email'],
    ['sql', 'no such table: users'],
    ['sql', 'syntax error at or near "\'"'],
    ['sql', 'relation "users" does not exist'],
    ['sql', 'duplicate key value violates unique constraint "users_pkey"'],
    ['sql', "Duplicate entry 'a@b.c' for key 'users.email'"],
    ['sql', 'Unclosed quotation mark after the character string'],
    ['sql', 'E11000 duplicate key error collection: shop.users'],
    ['sql', 'failed: SELECT id, name FROM users WHERE id = 1'],
    ['sql', 'INSERT INTO users (id) VALUES (1)'],
    ['framework', '<h1>Whitelabel Error Page</h1>'],
    ['framework', 'You are seeing this because you have <code>DEBUG = True</code>'],
    ['framework', '<center>nginx/1.18.0</center>'],
    ['framework', "Server Error in '/' Application."],
    ['framework', 'Symfony\\Component\\HttpKernel'],
    ['path', 'cannot open /var/www/shop/index'],
    ['path', 'ENOENT: no such file, open "/srv/shop/config/db.ini"'],
    ['path', 'Cannot read C:\\inetpub\\wwwroot\\web.config'],
    ['path', 'Cannot find x in /app/node_modules/pg'],
    ['host', 'connect to 10.2.3.4 failed'],
    ['host', 'connect to 192.168.1.20:5432'],
    ['host', 'no answer from orders-db.prod.internal'],
    ['host', 'connect ECONNREFUSED'],
    ['host', 'http://localhost:5432/'],
  ])('%s: %s', (rule, text) => {
    expect(errorLeak(text)).toBe(rule)
    expect(errorLeak({ error: { code: 7, details: ['fine', { message: text }] } })).toBe(rule)
  })

  it.each([
    'SQL course not found at /courses/5',
    'Select a seat from the list where you want to sit',
    'Please select a date from the calendar.',
    'The order does not exist',
    'The path /v1/orders/7 does not exist; see /docs/errors.html#not-found',
    'Not found: GET /home/7/rooms',
    'Meet us at Java House (corner of 5th) at 10:30:15',
    'Your exception request was denied: error in line 3 of the form',
    'Version 10.1.2 is too old; 1.2.3.4.5 is not a version',
    'Your address 203.0.113.7 is blocked',
    'Contact support@shop.example or call +49 30 1234567',
    'Unknown column of the report: choose another',
    'syntax error: quantity must be a number',
    'duplicate key: an order with this number exists',
    'A stack of books fell; no trace of it at home',
    'Update your profile: set a name',
    'ratio 10/127',
    'See https://shop.example/help/errors.php?id=3 for more',
    'The file "report.py" is too large',
    'Java is required for this course',
    'Save the file as C:\\Reports, then retry.',
    'Update your address and set a default card.',
    'a < b & c > d; use <code>x</code>',
    'Please contact class teacher A. Smith',
  ])('plain words pass: %s', (text) => {
    expect(errorLeak({ title: text, detail: text })).toBeNull()
  })

  it('an error that says more than can be read is no message', () => {
    expect(errorLeak('a'.repeat(70_000))).toBe('size')
  })

  it.each([
    ['dots', '.a'.repeat(30_000)],
    ['colons', '/a:1'.repeat(15_000)],
    ['slashes', '/a/'.repeat(20_000)],
    ['selects', 'SELECT a '.repeat(7_000)],
    ['ats', 'at a ('.repeat(10_000)],
    ['spaces', ' '.repeat(60_000)],
    ['words', 'a1-'.repeat(20_000)],
    ['drives', 'C:\\a'.repeat(15_000)],
  ])('%s take bounded time', (_, text) => {
    const started = performance.now()
    errorLeak(text)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

it('takes a bounded time for the worst texts', () => {
  const worst = [
    'a.'.repeat(32_000),
    '('.repeat(60_000),
    `at ${'a '.repeat(32_000)}`,
    '<a '.repeat(20_000),
    '&#'.repeat(30_000),
  ]
  const started = performance.now()
  for (const text of worst) errorLeak(text)
  expect(performance.now() - started).toBeLessThan(5_000)
})
