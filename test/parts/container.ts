import { existsSync } from 'node:fs';
import { request } from 'node:http';
import type { Part } from './part.ts';
import { until } from './until.ts';

// Never run so far, because there was no container engine; therefore kept small.

type ContainerOptions = {
  image: string;
  environment: Record<string, string>;
  /** The same port inside and outside, so that a restart changes no address. */
  port: number;
  answers: () => Promise<boolean>;
};

const PING_MS = 1_000;
const START_MS = 120_000;
const TAIL = 8_000;

/** The engine's socket, if there is one. It may not answer. */
export function engineSocket(): string | undefined {
  const named = process.env.DOCKER_HOST?.replace(/^unix:\/\//, '');
  return [named, '/var/run/docker.sock'].find((path) => path?.startsWith('/') && existsSync(path));
}

/** Whether a container engine answers. */
export function engineAnswers(): Promise<boolean> {
  const socketPath = engineSocket();
  if (socketPath === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    request({ socketPath, path: '/_ping', timeout: PING_MS })
      .once('response', (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      })
      .once('timeout', () => resolve(false))
      .once('error', () => resolve(false))
      .end();
  });
}

/** Starts a container and resolves when it answers. testcontainers removes it when this process is gone. */
export async function startContainer({ image, environment, port, answers }: ContainerOptions): Promise<Part> {
  // Slow to load, so only if an engine answers.
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import('testcontainers');
  let output = '';
  const container = await new GenericContainer(image)
    .withEnvironment(environment)
    .withExposedPorts({ container: port, host: port })
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(START_MS)
    .withLogConsumer((stream) => {
      stream.on('data', (text) => {
        output = (output + String(text)).slice(-TAIL);
      });
    })
    .start();
  const { container: client } = await getContainerRuntimeClient();
  const engine = client.getById(container.getId());
  await ready();

  return {
    describe: `${image}, container`,
    controllable: true,
    async start() {
      await engine.start();
      await ready();
    },
    stop: () => engine.stop(),
    kill: () => engine.kill(),
    pause: () => engine.pause(),
    resume: () => engine.unpause(),
    async close() {
      await engine.remove({ force: true, v: true });
    },
    log: () => output,
  };

  async function ready(): Promise<void> {
    await until(answers, { timeoutMs: START_MS, what: `${image} to answer`, detail: () => output });
  }
}
