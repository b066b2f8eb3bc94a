// Keeps the request log fresh while the box is ticked; without this file the page is reloaded by hand.
const box = document.getElementById("live");
const rows = document.getElementById("rows");
const news = document.getElementById("news");
const EVERY = 2000;

box.closest("label").hidden = false;

async function refresh() {
  if (!box.checked || document.hidden) return;
  const before = rows.querySelector("time")?.dateTime;
  const reply = await fetch(`/_console/requests/rows${location.search}`);
  if (!reply.ok) return;
  const fresh = document.createElement("tbody");
  fresh.innerHTML = await reply.text();
  const times = [...fresh.querySelectorAll("time")].map((time) => time.dateTime);
  const added = before ? times.findIndex((time) => time <= before) : times.length;
  if (added === 0) return;
  rows.replaceChildren(...fresh.childNodes);
  news.value = added < 0 ? "Many new requests" : `${added} new`;
}

setInterval(() => refresh().catch(() => { news.value = "The sandbox does not answer."; }), EVERY);
