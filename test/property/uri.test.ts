import { fc, test } from './fast-check.ts'
