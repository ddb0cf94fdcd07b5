// Two videos that play in step, and the heat map of their frames.
//
// Both clocks are in seconds of the videos themselves; what is loaded of each is a clip that begins at
// `start`. A moment is a pair (query, target). From the moment that was chosen last both play on, the
// target faster or slower where the matched stretch says that it was sped up or slowed down.

const LIGHT = ["#f4f7fb", "#bcd2ea", "#72a1d2", "#346cab", "#0c2747"];
const DARK = ["#131a23", "#1d3850", "#2b5f8a", "#5391c1", "#dcebf7"];
const PATH = "#e0862f";
const MARGIN = { left: 52, right: 8, top: 6, bottom: 34 };
const DRIFT_S = 0.15;
const NEAR_S = 1.5;
const views = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let view = views.get(parentElement);
  if (!view) {
    view = new View(parentElement);
    views.set(parentElement, view);
  }
  view.onFar = (moment) => setTriggerValue("moment", moment);
  view.show(data);
  return () => {
    view.close();
    views.delete(parentElement);
  };
}

class View {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.query = find("video.query");
    this.target = find("video.target");
    this.names = [find(".query-name"), find(".target-name")];
    this.play = find(".play");
    this.seek = find(".seek");
    this.clock = find(".clock");
    this.speed = find(".speed");
    this.stretches = find(".stretches");
    this.canvas = find("canvas");
    this.legend = { low: find(".low"), high: find(".high"), ramp: find(".ramp"), readout: find(".readout") };
    this.playing = false;
    this.shown = "";
    this.play.onclick = () => (this.playing ? this.pause() : this.start());
    this.seek.oninput = () => this.go({ query: Number(this.seek.value), target: this.expected(Number(this.seek.value)) });
    this.speed.onchange = () => this.setRates();
    this.canvas.onclick = (event) => this.goFar(this.momentAt(event));
    this.canvas.onmousemove = (event) => this.read(this.momentAt(event));
    this.canvas.onmouseleave = () => this.read(null);
    this.canvas.onkeydown = (event) => this.key(event);
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.canvas);
  }

  close() {
    this.pause();
    this.resized.disconnect();
  }

  show(data) {
    if (JSON.stringify(data) === this.shown) return this.draw();
    this.shown = JSON.stringify(data);
    this.data = data;
    this.map = data.map;
    this.cells = Uint8Array.from(atob(data.map.cells), (c) => c.charCodeAt(0));
    this.load(this.query, data.query);
    this.load(this.target, data.target);
    this.names[0].textContent = this.names[0].title = `query: ${data.query.name}`;
    this.names[1].textContent = this.names[1].title = `video: ${data.target.name}`;
    this.seek.min = data.query.start;
    this.seek.max = data.query.stop;
    this.legend.low.textContent = data.map.low.toFixed(2);
    this.legend.high.textContent = data.map.high.toFixed(2);
    this.canvas.setAttribute("aria-label", `Similarity of ${data.map.rows} moments of the query (down) and ${data.map.columns} of the video (across)`);
    this.stretches.replaceChildren(...data.map.segments.map((s, i) => this.stretchButton(s, i)));
    this.picture = null;
    this.go(data.moment);
  }

  load(video, clip) {
    const address = new URL(clip.url.replace(/^\//, ""), document.baseURI).href;
    if (video.src !== address) video.src = address;
  }

  stretchButton([q0, q1, t0, t1], i) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${i + 1}: ${clock(q0)}–${clock(q1)} = ${clock(t0)}–${clock(t1)}`;
    button.setAttribute("aria-label", `Go to matched stretch ${i + 1}`);
    button.onclick = () => this.goFar({ query: q0, target: t0 });
    return button;
  }

  // The target's second that belongs to a second of the query, from the chosen moment on.
  expected(query) {
    return this.anchor.target + (query - this.anchor.query) * this.rate;
  }

  rateOf(moment) {
    for (const [q0, q1, t0, t1] of this.map.segments) {
      if (moment.query < q0 || moment.query > q1 || q1 <= q0) continue;
      const rate = (t1 - t0) / (q1 - q0);
      if (Math.abs(t0 + (moment.query - q0) * rate - moment.target) <= NEAR_S) return Math.min(Math.max(rate, 0.25), 4);
    }
    return 1;
  }

  goFar(moment) {
    if (!moment) return;
    const loaded = inside(moment.query, this.data.query) && inside(moment.target, this.data.target);
    if (loaded) this.go(moment);
    else this.onFar(moment);
  }

  go(moment) {
    this.anchor = moment;
    this.rate = this.rateOf(moment);
    this.query.currentTime = clamp(moment.query - this.data.query.start, this.query);
    this.target.currentTime = clamp(moment.target - this.data.target.start, this.target);
    this.setRates();
    this.tell();
  }

  setRates() {
    const speed = Number(this.speed.value);
    this.query.playbackRate = speed;
    this.target.playbackRate = Math.min(Math.max(speed * this.rate, 0.1), 8);
  }

  start() {
    if (this.now().query >= this.data.query.stop - 0.1) this.go(this.data.moment);
    this.playing = true;
    this.label();
    Promise.all([this.query.play(), this.target.play()]).then(() => this.tick(), () => this.pause());
  }

  pause() {
    this.playing = false;
    this.query.pause();
    this.target.pause();
    this.label();
  }

  label() {
    this.play.textContent = this.playing ? "Pause" : "Play";
    this.play.setAttribute("aria-label", this.playing ? "Pause both videos" : "Play both videos");
  }

  tick() {
    if (!this.playing) return;
    const wanted = this.expected(this.now().query) - this.data.target.start;
    if (Math.abs(wanted - this.target.currentTime) > DRIFT_S && wanted >= 0) this.target.currentTime = wanted;
    if (this.query.ended || this.target.ended) this.pause();
    this.tell();
    requestAnimationFrame(() => this.tick());
  }

  now() {
    return { query: this.query.currentTime + this.data.query.start, target: this.target.currentTime + this.data.target.start };
  }

  tell() {
    const moment = this.playing ? this.now() : this.anchor;
    this.seek.value = moment.query;
    this.clock.textContent = `${clock(moment.query)} = ${clock(moment.target)}`;
    this.draw(moment);
  }

  key(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === " ") this.play.click();
    else if (step) {
      const moment = this.playing ? this.now() : this.anchor;
      this.goFar({
        query: bounded(moment.query + step[0] * spacing(this.map.queryTimes), this.map.queryTimes),
        target: bounded(moment.target + step[1] * spacing(this.map.targetTimes), this.map.targetTimes),
      });
    } else return;
    event.preventDefault();
  }

  // --- the heat map

  frame() {
    const width = this.canvas.clientWidth - MARGIN.left - MARGIN.right;
    const height = Math.min(Math.max((width * this.map.rows) / Math.max(this.map.columns, 1), 120), 340);
    return { width: Math.max(width, 10), height };
  }

  x(target) {
    return MARGIN.left + place(target, this.map.targetTimes) * this.frame().width;
  }

  y(query) {
    return MARGIN.top + place(query, this.map.queryTimes) * this.frame().height;
  }

  momentAt(event) {
    const { width, height } = this.frame();
    const box = this.canvas.getBoundingClientRect();
    const across = (event.clientX - box.left - MARGIN.left) / width;
    const down = (event.clientY - box.top - MARGIN.top) / height;
    if (across < 0 || across > 1 || down < 0 || down > 1) return null;
    const column = Math.min(Math.floor(across * this.map.columns), this.map.columns - 1);
    const row = Math.min(Math.floor(down * this.map.rows), this.map.rows - 1);
    return { query: this.map.queryTimes[row], target: this.map.targetTimes[column], row, column };
  }

  read(moment) {
    if (!moment) return (this.legend.readout.textContent = "");
    const level = this.cells[moment.row * this.map.columns + moment.column] / 255;
    const value = this.map.low + level * (this.map.high - this.map.low);
    this.legend.readout.textContent = `${clock(moment.query)} = ${clock(moment.target)}: ${value.toFixed(2)}`;
  }

  draw(moment = this.anchor) {
    if (!this.data || !this.canvas.clientWidth) return;
    const { width, height } = this.frame();
    const style = getComputedStyle(this.canvas);
    const dark = luminance(style.getPropertyValue("--st-background-color")) < 0.5;
    this.paint(dark ? DARK : LIGHT);
    const ratio = window.devicePixelRatio || 1;
    this.canvas.style.height = `${height + MARGIN.top + MARGIN.bottom}px`;
    this.canvas.width = this.canvas.clientWidth * ratio;
    this.canvas.height = (height + MARGIN.top + MARGIN.bottom) * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.picture, MARGIN.left, MARGIN.top, width, height);
    this.drawAxes(pen, style.color, width, height);
    this.drawPaths(pen);
    this.drawMoment(pen, style.color, moment, width, height);
  }

  paint(ramp) {
    if (this.picture && this.ramp === ramp) return;
    this.ramp = ramp;
    this.legend.ramp.style.background = `linear-gradient(90deg, ${ramp.join(",")})`;
    const table = colours(ramp);
    const picture = new OffscreenCanvas(Math.max(this.map.columns, 1), Math.max(this.map.rows, 1));
    const pen = picture.getContext("2d");
    const image = pen.createImageData(picture.width, picture.height);
    this.cells.forEach((level, i) => image.data.set(table[level], i * 4));
    pen.putImageData(image, 0, 0);
    this.picture = picture;
  }

  drawAxes(pen, colour, width, height) {
    pen.fillStyle = colour;
    pen.font = "11px sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const s of ticks(this.map.targetTimes, width / 70)) pen.fillText(clock(s), this.x(s), MARGIN.top + height + 4);
    pen.fillText("video (min:s)", MARGIN.left + width / 2, MARGIN.top + height + 19);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const s of ticks(this.map.queryTimes, height / 30)) pen.fillText(clock(s), MARGIN.left - 5, this.y(s));
    pen.save();
    pen.translate(9, MARGIN.top + height / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText("query (min:s)", 0, 0);
    pen.restore();
  }

  drawPaths(pen) {
    pen.strokeStyle = PATH;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    for (const path of this.map.paths) {
      pen.beginPath();
      path.forEach(([query, target], i) => (i ? pen.lineTo(this.x(target), this.y(query)) : pen.moveTo(this.x(target), this.y(query))));
      pen.stroke();
    }
  }

  drawMoment(pen, colour, moment, width, height) {
    const x = this.x(moment.target);
    const y = this.y(moment.query);
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.globalAlpha = 0.55;
    pen.beginPath();
    pen.moveTo(x, MARGIN.top);
    pen.lineTo(x, MARGIN.top + height);
    pen.moveTo(MARGIN.left, y);
    pen.lineTo(MARGIN.left + width, y);
    pen.stroke();
    pen.globalAlpha = 1;
    pen.fillStyle = "#fff";
    pen.strokeStyle = PATH;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, 4.5, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  }
}

function inside(at, clip) {
  return at >= clip.start - 0.05 && at <= clip.stop + 0.05;
}

function clamp(at, video) {
  const end = Number.isFinite(video.duration) ? video.duration : Infinity;
  return Math.min(Math.max(at, 0), end);
}

function bounded(at, times) {
  return Math.min(Math.max(at, times[0]), times[times.length - 1]);
}

function spacing(times) {
  return times.length > 1 ? (times[times.length - 1] - times[0]) / (times.length - 1) : 1;
}

// Where a second lies in [0, 1] along an axis whose cells are centred on `times`.
function place(at, times) {
  const step = spacing(times);
  const length = times[times.length - 1] - times[0] + step;
  return Math.min(Math.max((at - times[0] + step / 2) / length, 0), 1);
}

function ticks(times, most) {
  const length = times[times.length - 1] - times[0];
  const steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
  const step = steps.find((s) => length / s <= most) || 7200;
  const found = [];
  for (let s = Math.ceil(times[0] / step) * step; s <= times[times.length - 1] + 1e-6; s += step) found.push(s);
  return found;
}

function clock(seconds) {
  const tenths = Math.max(0, Math.round(seconds * 10));
  const minutes = Math.floor(tenths / 600);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

function rgb(hex) {
  const n = parseInt(hex.trim().replace("#", "").slice(0, 6), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

function luminance(colour) {
  const [r, g, b] = colour.trim().startsWith("#") ? rgb(colour) : (colour.match(/\d+/g) || [255, 255, 255]).map(Number);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

function colours(ramp) {
  const stops = ramp.map(rgb);
  return Array.from({ length: 256 }, (_, level) => {
    const at = (level / 255) * (stops.length - 1);
    const i = Math.min(Math.floor(at), stops.length - 2);
    return [...stops[i].map((c, k) => Math.round(c + (stops[i + 1][k] - c) * (at - i))), 255];
  });
}
