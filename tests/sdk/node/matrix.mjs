// Makes the calls of test_matrix.py through the SDKs for Node. Usage: node matrix.mjs <origin> < calls.json
import { readFileSync } from 'node:fs';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const origin = process.argv[2];
const plain = { apiKey: 'any', maxRetries: 0, timeout: 20_000 };
const openai = new OpenAI({ baseURL: `${origin}/v1`, ...plain });
const anthropic = new Anthropic({ baseURL: origin, ...plain });
const verbs = {
  chat: openai.chat.completions,
  responses: openai.responses,
  completions: openai.completions,
  messages: anthropic.messages,
};
const text = {
  chat: (reply) => reply.choices[0].message.content,
  responses: (reply) => reply.output_text,
  completions: (reply) => reply.choices[0].text,
  messages: (reply) => reply.content.map((block) => block.text ?? '').join(''),
};
const piece = {
  chat: (chunk) => chunk.choices[0]?.delta.content ?? '',
  responses: (event) => (event.type === 'response.output_text.delta' ? event.delta : ''),
  completions: (chunk) => chunk.choices[0]?.text ?? '',
  messages: (event) => (event.type === 'content_block_delta' ? (event.delta.text ?? '') : ''),
};

async function make({ dialect, body, id }) {
  try {
    const { data, response } = await verbs[dialect].create(body, { headers: { 'Idempotency-Key': id } }).withResponse();
    let said = '';
    if (body.stream) for await (const event of data) said += piece[dialect](event);
    else said = text[dialect](data);
    return { status: 200, dropped: response.headers.get('x-weir-dropped'), text: said, message: null };
  } catch (error) {
    return { status: error.status ?? 0, dropped: null, text: null, message: error.message };
  }
}

const results = [];
for (const call of JSON.parse(readFileSync(0, 'utf8'))) results.push(await make(call));
console.log(JSON.stringify(results));
