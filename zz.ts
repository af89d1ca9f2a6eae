import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { compileContract } from './src/contract/compile.ts'
import { ContractBuilder } from './src/contract/instantiate.ts'
const F='/work/shared/fixtures/openapi-specs/'
const all=JSON.parse(readFileSync(F+'INDEX.json','utf8')).map((e:any)=>e.file.replace('.json.gz',''))
for (const n of process.argv[2]==='all'?all:['github.com__api.github.com','docusign.net','kubernetes.io','openbanking.org.uk__account-info-openapi']) {
  const text=gunzipSync(readFileSync(F+n+'.json.gz')).toString()
  const t0=performance.now()
  const c=compileContract({api:'a', text, file:n, objects:{}, credential:'replace'})
  const cms=performance.now()-t0
  const b=new ContractBuilder({name:'a',maxRequestBytes:1<<20,maxAnswerBytes:8<<20} as any)
  let steps:number[]=[]; const step=(f:()=>void)=>{const t=performance.now(); f(); steps.push(performance.now()-t)}
  for(const m of c.modules) step(()=>b.addModule(m.name,m.source))
  const mm=Math.max(...steps), ms=steps.reduce((a,b)=>a+b); steps=[]
  for(const o of c.operations) step(()=>b.addOperation(o)); const om=Math.max(...steps), os=steps.reduce((a,b)=>a+b)
  steps=[]; let k:any; step(()=>{k=b.finish()}); const fm=steps[0]
  steps=[]
  const enc=new TextEncoder().encode('{}')
  for(const o of k.operations.values()){ step(()=>{o.checkBody('application/json',enc)}); for (const st of Object.keys((c.operations.find(x=>x.plan.key===o.plan.key) as any).detail.answers)) step(()=>{o.checkAnswer(Number(st)||299,'application/json',enc)})}
  console.log(n,'compile',cms.toFixed(0),'KB',c.modules.reduce((s,m)=>s+m.source.length,0)>>10,'bigmod',Math.max(...c.modules.map(m=>m.source.length))>>10,'module',mm.toFixed(1),'modules',ms.toFixed(0),'op',om.toFixed(2),'ops',os.toFixed(1),'finish',fm!.toFixed(2),'firstcall max',Math.max(...steps).toFixed(2))
}
