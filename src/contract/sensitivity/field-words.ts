import type { Label } from './classes.ts'

/**
 * What a field's name says of it: a small dictionary, compared word by word with the end of the name, so that
 * `customerEmail`, `customer_email` and `CUSTOMER-EMAIL` are told alike while `emailCount` and `emailVerified` are not.
 * One entry a phrase; words are what camel case, `_`, `-` and `.` separate. Wrong ones are put right with `class: none`.
 */
const PHRASES: Readonly<Record<string, string>> = {
  pii: `email, email address, e mail, mail address, phone, phone number, telephone, telephone number, mobile,
    mobile number, mobile phone, msisdn, fax number, ssn, social security number, national id, national insurance number,
    nino, passport number, passport no, tax id, tax number, tin, driver license, drivers license, driving licence number,
    license plate, date of birth, birth date, birthdate, birthday, dob, place of birth, first name, last name, full name,
    given name, family name, middle name, maiden name, surname, street, street address, postal address, home address,
    address line 1, address line 2, iban, bank account, bank account number, account holder, ethnicity, religion,
    nationality, sexual orientation, gender, marital status, personnummer, codice fiscale, bsn, pesel`,
  phi: `diagnosis, diagnoses, icd 10, icd10, icd code, medication, medications, prescription, prescriptions, allergy,
    allergies, blood type, blood group, medical record number, mrn, medical history, nhs number, health insurance number,
    patient id, treatment plan, symptoms, lab result, lab results, vaccination, vaccinations, disability`,
  pci: `card number, credit card, credit card number, debit card number, primary account number, pan, cvv, cvv2, cvc,
    cvc2, card verification value, card security code, cardholder name, card holder name, card expiry, card expiration,
    card pin, track data`,
  credential: `password, passwd, passphrase, passcode, pin, otp, one time password, one time code, recovery code,
    recovery codes, security answer, password hash`,
  secret: `secret, client secret, api key, apikey, api secret, access token, refresh token, id token, auth token,
    session token, bearer token, session id, private key, secret key, access key, signing key, encryption key, webhook
    secret, connection string`,
}

const FORMATS: Readonly<Record<string, string>> = {
  email: 'pii',
  'idn-email': 'pii',
  phone: 'pii',
  'phone-number': 'pii',
  ssn: 'pii',
  iban: 'pii',
  'credit-card': 'pci',
  'card-number': 'pci',
  password: 'credential',
}

const MAX_WORDS = 4
const MAX_NAME = 128
const MIN_JOINED = 7
const CLASS_OF = new Map<string, string>()
for (const [name, phrases] of Object.entries(PHRASES)) {
  for (const phrase of phrases.split(',')) {
    const words = phrase.trim().replace(/\s+/g, ' ')
    CLASS_OF.set(words, name)
    // Written without anything between them, short words would be the ends of others.
    if (words.length >= MIN_JOINED) CLASS_OF.set(words.replaceAll(' ', ''), name)
  }
}

/** Words of a name, in lower case: `billingEMailAddress2` is `billing e mail address 2`. */
function wordsOf(name: string): readonly string[] {
  return name
    .slice(0, MAX_NAME)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/([A-Za-z]{3})([0-9])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

/** The class that a field's name tells, or null. */
export function classOfName(name: string): Label | null {
  const words = wordsOf(name)
  for (let count = Math.min(MAX_WORDS, words.length); count > 0; count--) {
    const end = words.slice(-count)
    const found =
      CLASS_OF.get(end.join(' ')) ?? CLASS_OF.get(end.join('')) ?? CLASS_OF.get(singular(end.join(' ')))
    if (found !== undefined) return { class: found, origin: 'name' }
  }
  return null
}

const singular = (words: string): string => words.replace(/(?<=[a-z]{2})s$/, '')

/** The class that a schema's `format` tells, or null. */
export function classOfFormat(format: unknown): Label | null {
  const found = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  return found === undefined ? null : { class: found, origin: 'format' }
}
