// Makes the calls that test_openai_node.py checks; prints one JSON object. Usage: node calls.mjs <base_url> <what>
import OpenAI from 'openai';

const [baseURL, what] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'any key', maxRetries: what === 'retries' ? 2 : 0, timeout: 120_000 });
const plain = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] };

async function chunksOf(more) {
  const stream = await client.chat.completions.create({ ...plain, stream: true, ...more });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

function summary(chunks) {
  return {
    text: chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join(''),
    finish: chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter(Boolean),
    usage: chunks.map((chunk) => chunk.usage ?? null),
  };
}

async function errorOf(call) {
  try {
    await call();
  } catch (error) {
    return {
      name: error.constructor.name,
      status: error.status ?? null,
      type: error.type ?? null,
      param: error.param ?? null,
      code: error.code ?? null,
      message: error.message,
    };
  }
  return null;
}

const calls = {
  async chat() {
    const { data, response } = await client.chat.completions.create(plain).withResponse();
    return { text: data.choices[0].message.content, usage: data.usage, provider: response.headers.get('x-weir-provider') };
  },
  async stream() {
    return summary(await chunksOf({}));
  },
  async stream_with_usage() {
    return summary(await chunksOf({ stream_options: { include_usage: true } }));
  },
  async leave() {
    const stream = await client.chat.completions.create({ ...plain, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta?.content) break;
    }
    return {};
  },
  async error() {
    return errorOf(() => client.chat.completions.create(plain));
  },
  async error_in_stream() {
    return errorOf(() => chunksOf({}));
  },
  async retries() {
    return errorOf(() => client.chat.completions.create(plain));
  },
  async models() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids, one: (await client.models.retrieve('renamed')).id };
  },
  async many() {
    const replies = await Promise.all(Array.from({ length: 20 }, () => client.chat.completions.create(plain)));
    return { texts: replies.map((reply) => reply.choices[0].message.content) };
  },
};

console.log(JSON.stringify({ node: process.version, result: await calls[what]() }));
