// What a web page can try on a server of the machine that shows it. Resolves to what it got: each entry is
// how it asked, and what it could read or open.
async (target) => {
  const got = [];
  const command = JSON.stringify(target.body);
  const note = (how, what) => got.push(`${how} ${what}`);

  const ask = async (how, path, options) => {
    try {
      const answer = await fetch(target.base + path, options);
      if (answer.type !== "opaque" && answer.ok) note(how, `${path}: ${(await answer.text()).slice(0, 80)}`);
    } catch (error) {
      if (!(error instanceof TypeError)) note(how, error);
    }
  };
  for (const path of target.reads) {
    await ask("GET", path, {});
    await ask("GET with credentials", path, { credentials: "include" });
    await ask("GET no-cors", path, { mode: "no-cors", credentials: "include" });
  }
  for (const path of target.writes) {
    await ask("simple POST", path, { method: "POST", body: command, headers: { "Content-Type": "text/plain" } });
    await ask("no-cors POST", path, { method: "POST", body: command, mode: "no-cors", credentials: "include" });
    const json = { "Content-Type": "application/json" };
    await ask("preflighted POST", path, { method: "POST", body: command, headers: json });
    await ask("preflighted PUT", path, { method: "PUT", body: command, headers: json });
    await ask("DELETE", path, { method: "DELETE" });
    navigator.sendBeacon(target.base + path, new Blob([command], { type: "text/plain" }));
    await formPost(target.base + path, command);
    await sandboxed(target.base + path, command);
  }
  for (const path of target.reads) {
    await element("script", target.base + path);
    await element("img", target.base + path);
    await element("iframe", target.base + path);
    await opened("EventSource", () => new EventSource(target.base + path));
  }
  for (const path of target.sockets) {
    const address = target.base.replace("http", "ws") + path;
    await opened("WebSocket", () => new WebSocket(address));
    await opened("WebSocket prefect", () => new WebSocket(address, "prefect"));
    await opened("WebSocket streamlit", () => new WebSocket(address, "streamlit"));
  }
  return got;

  function opened(how, make) {
    return new Promise((done) => {
      const channel = make();
      const end = (what) => { if (what) note(how, what); channel.close(); done(); };
      channel.onmessage = (event) => end(`message: ${String(event.data).slice(0, 80)}`);
      channel.onopen = () => end("open");
      channel.onerror = () => end("");
      setTimeout(() => end(""), 4000);
    });
  }
  function element(kind, address) {
    return new Promise((done) => {
      const made = document.createElement(kind);
      made.onload = made.onerror = done;
      made.src = address;
      document.body.append(made);
      setTimeout(done, 4000);
    });
  }
  function formPost(address, body) {
    return new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.name = `frame${Math.random()}`;
      document.body.append(frame);
      const form = Object.assign(document.createElement("form"),
        { method: "POST", action: address, target: frame.name, enctype: "text/plain" });
      form.append(Object.assign(document.createElement("input"), { name: body, value: "" }));
      document.body.append(form);
      frame.onload = done;
      form.submit();
      setTimeout(done, 4000);
    });
  }
  function sandboxed(address, body) {
    return new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts";
      const options = `{method: "POST", mode: "no-cors", body: ${JSON.stringify(body)}}`;
      frame.srcdoc = `<script>fetch(${JSON.stringify(address)}, ${options})
        .catch(() => 0).then(() => parent.postMessage("over", "*"))<\/script>`;
      addEventListener("message", done, { once: true });
      document.body.append(frame);
      setTimeout(done, 4000);
    });
  }
}
