// Makes the calls of test_matrix.py through the Vercel AI SDK. Usage: node vercel_matrix.mjs <origin> < calls.json
import { readFileSync } from 'node:fs';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateObject, generateText, streamText, tool } from 'ai';
import { z } from 'zod';

globalThis.AI_SDK_LOG_WARNINGS = false; // stdout is for the result
const origin = process.argv[2];
const openai = createOpenAI({ baseURL: `${origin}/v1`, apiKey: 'any' });
const anthropic = createAnthropic({ baseURL: `${origin}/v1`, apiKey: 'any' });
const speaks = { chat: (name) => openai.chat(name), responses: (name) => openai.responses(name), messages: anthropic };
const city = z.object({ city: z.string() });
const weather = tool({ description: 'Of a city.', inputSchema: city });
const image = Buffer.from('89504e470d0a1a0a', 'hex');

const calls = {
  async text(common) {
    return { text: (await generateText({ ...common, prompt: 'Hi' })).text };
  },
  async stream(common) {
    let text = '';
    for await (const piece of streamText({ ...common, prompt: 'Hi' }).textStream) text += piece;
    return { text };
  },
  async image(common) {
    const content = [{ type: 'text', text: 'What is it?' }, { type: 'image', image, mediaType: 'image/png' }];
    return { text: (await generateText({ ...common, messages: [{ role: 'user', content }] })).text };
  },
  async schema(common) {
    return { object: (await generateObject({ ...common, prompt: 'Hi', schema: city })).object };
  },
  async tools(common) {
    const reply = await generateText({ ...common, prompt: 'Hi', tools: { get_weather: weather } });
    return { calls: reply.toolCalls.map((call) => call.input) };
  },
};

const results = [];
for (const one of JSON.parse(readFileSync(0, 'utf8'))) {
  const common = { model: speaks[one.speaks](one.model), maxRetries: 0, headers: { 'Idempotency-Key': one.id } };
  try {
    results.push(await calls[one.what](common));
  } catch (error) {
    results.push({ error: `${error.name}: ${error.message} ${error.responseBody ?? ''}` });
  }
}
console.log(JSON.stringify(results));
