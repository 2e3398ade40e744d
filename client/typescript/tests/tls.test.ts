/** Encrypted connections: a TLS end in front of a real sidecar, with certificates made for the occasion. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as dial, type AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createServer, type Server } from "node:tls";
import { connect, type ConnectOptions } from "lotkeeper";
import { Sidecar, skip } from "./sidecar.js";

/** Makes a certificate authority, and certificates for `localhost` and for a bot, in `folder`. */
function makeCertificates(folder: string): (name: string) => string {
  const openssl = (...words: string[]): Buffer => execFileSync("openssl", words, { cwd: folder, stdio: "pipe" });
  const key = (name: string): string[] => ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name];
  openssl("req", "-x509", ...key("ca.key"), "-out", "ca.pem", "-days", "1", "-subj", "/CN=test");
  for (const name of ["localhost", "bot"]) {
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", `subjectAltName=DNS:${name}`];
    openssl("req", "-x509", ...signed, ...key(`${name}.key`), "-out", `${name}.pem`, "-days", "1", "-subj", `/CN=${name}`);
  }
  return (name) => readFileSync(join(folder, name), "utf8");
}

/** A TLS end that asks for a client certificate and passes everything on to `address`. */
async function tlsEnd(file: (name: string) => string, address: string): Promise<Server> {
  const [host, port] = address.split(":") as [string, string];
  const server = createServer(
    {
      cert: file("localhost.pem"),
      key: file("localhost.key"),
      ca: file("ca.pem"),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ["h2"],
    },
    (near) => {
      const far = dial(Number(port), host);
      near.pipe(far).pipe(near);
      for (const each of [near, far]) each.on("error", () => [near, far].forEach((end) => end.destroy()));
    },
  );
  server.on("tlsClientError", () => undefined);
  server.listen(0, "localhost");
  await once(server, "listening");
  return server;
}

test("TLS shows the client's certificate, checks the server's, and carries a token to any host", { skip }, async () => {
  await using sidecar = await Sidecar.start();
  const file = makeCertificates(sidecar.folder);
  const server = await tlsEnd(file, sidecar.address);
  const address = `localhost:${(server.address() as AddressInfo).port}`;
  const own = { clientCertificate: file("bot.pem"), clientKey: file("bot.key") };
  const asked = async (options: ConnectOptions): Promise<number> => {
    using ledger = connect(address, { timeoutMs: 10_000, ...options });
    return (await ledger.getSummary()).positions.length;
  };
  try {
    assert.equal(await asked({ ...own, rootCertificates: file("ca.pem"), token: "t" }), 0);
    await assert.rejects(asked({ rootCertificates: file("ca.pem"), timeoutMs: 1_000 }), { code: "DEADLINE_EXCEEDED" });
    await assert.rejects(asked({ ...own, tls: true, timeoutMs: 1_000 }), { code: "DEADLINE_EXCEEDED" });
  } finally {
    server.close();
  }
});

test("certificates that are none are refused when connecting", () => {
  const broken = { clientCertificate: "no certificate", clientKey: "no key" };
  const refused = /^RangeError: rootCertificates, clientCertificate, clientKey: .*pass what PEM files hold/;
  assert.throws(() => connect("a:1", broken), refused);
});
