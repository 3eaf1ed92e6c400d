// Filters, and the state of the view in the address. Without this script the page shows every row,
// and a link to evidence shows it (see :target in page.css).
'use strict';
(() => {
  const form = document.getElementById('filters');
  const count = document.getElementById('count');
  const views = {test: document.getElementById('tests'), claim: document.getElementById('claims')};
  const names = ['by', 'show', 'authority', 'level', 'topic', 'answer', 'text'];
  const initial = Object.fromEntries(names.map(name => [name, form.elements[name].value]));
  let open = '';  // id of the evidence that is shown

  const rows = view => [...view.querySelectorAll('tr.row')];
  const evidenceOf = row => document.getElementById(row.dataset.evidence);
  const tokens = (row, name) => (row.dataset[name] || '').split('\n');
  const words = new Map();
  const textOf = row => {
    if (!words.has(row)) {
      words.set(row, (row.textContent + ' ' + evidenceOf(row).textContent).toLowerCase());
    }
    return words.get(row);
  };

  function matches(row, by, state) {
    if (state.show === 'different' && !row.hasAttribute('data-differs')) return false;
    const cited = tokens(row, 'claims').map(claim => claim.split('/'));
    const claimed = ([authority, level]) =>
        (!state.authority || authority === state.authority) && (!state.level || level === state.level);
    if ((state.authority || state.level) && !cited.some(claimed)) return false;
    if (by === 'test' && state.topic && row.dataset.topic !== state.topic) return false;
    if (state.answer && !tokens(row, 'answers').includes(state.answer)) return false;
    return state.text.toLowerCase().split(/\s+/).every(word => textOf(row).includes(word));
  }

  function stateOfForm() {
    return Object.fromEntries(names.map(name => [name, form.elements[name].value.trim()]));
  }

  function show() {
    const state = stateOfForm();
    for (const [by, view] of Object.entries(views)) {
      view.hidden = by !== state.by;
      if (view.hidden) continue;
      let shown = 0;
      const all = rows(view);
      for (const row of all) {
        const visible = matches(row, by, state);
        row.hidden = !visible;
        if (visible) shown += 1;
        const isOpen = visible && row.dataset.evidence === open;
        row.classList.toggle('open', isOpen);
        evidenceOf(row).classList.toggle('open', isOpen);
        evidenceOf(row).hidden = !visible;
        row.querySelector('th a').setAttribute('aria-expanded', String(isOpen));
      }
      for (const topic of view.querySelectorAll('tbody:has(> tr.row)')) {
        topic.hidden = !topic.querySelector('tr.row:not([hidden])');
      }
      view.querySelector('.nothing').hidden = shown > 0;
      count.value = `${shown} of ${all.length} ${by === 'test' ? 'tests' : 'claims'}`;
    }
    form.elements.topic.disabled = state.by === 'claim';
  }

  function address() {
    const state = stateOfForm();
    const parts = new URLSearchParams();
    for (const name of names) {
      if (state[name] !== initial[name]) parts.set(name, state[name]);
    }
    if (open) parts.set('open', open);
    return '#' + parts;
  }

  function remember() {
    history.replaceState(null, '', address());
  }

  function apply(state) {
    for (const name of names) {
      const field = form.elements[name];
      field.value = name in state ? state[name] : initial[name];
      if (field.value === '' && field.tagName === 'SELECT') field.value = initial[name];
    }
  }

  // Shows that evidence whatever the filters say, and moves there.
  function reveal(id, focus) {
    const target = document.getElementById(id);
    const evidence = target && target.closest('tr.evidence');
    if (!evidence) return false;
    open = evidence.id;
    const by = views.claim.contains(evidence) ? 'claim' : 'test';
    form.elements.by.value = by;
    show();
    const row = evidence.previousElementSibling;
    if (row.hidden) {
      apply({by, show: 'all'});
      show();
    }
    (target === evidence ? row : target).scrollIntoView({block: 'nearest'});
    if (focus) row.querySelector('th a').focus({preventScroll: true});
    return true;
  }

  function readAddress() {
    const fragment = location.hash.slice(1);
    if (/^[ec]\d+(-\d+)?$/.test(fragment) && reveal(fragment, false)) return;
    const state = Object.fromEntries(new URLSearchParams(fragment));
    apply(state);
    open = '';
    show();
    if (state.open) reveal(state.open, false);
  }

  document.addEventListener('click', event => {
    const link = event.target.closest('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const id = link.getAttribute('href').slice(1);
    if (link.classList.contains('close')) {
      close();
    } else if (link.closest('tr.row th') && open === id) {
      close();
    } else if (!reveal(id, false)) {
      return;
    }
    event.preventDefault();
    remember();
  });

  function close() {
    const evidence = document.getElementById(open);
    open = '';
    show();
    if (evidence) evidence.previousElementSibling.querySelector('th a').focus();
  }

  form.addEventListener('input', () => { show(); remember(); });
  form.addEventListener('submit', event => event.preventDefault());
  form.addEventListener('reset', event => {
    event.preventDefault();
    open = '';
    apply({by: form.elements.by.value});
    show();
    remember();
  });
  window.addEventListener('hashchange', readAddress);

  // Tab goes from row to row, arrows from cell to cell.
  for (const cell of document.querySelectorAll('tr.row td a')) cell.tabIndex = -1;
  const links = row => [...row.querySelectorAll(':scope > * > a')];
  function neighbour(link, key) {
    const row = link.closest('tr.row');
    const column = [...row.cells].indexOf(link.parentElement);
    if (key === 'ArrowRight' || key === 'ArrowLeft') {
      const all = links(row);
      return all[all.indexOf(link) + (key === 'ArrowRight' ? 1 : -1)];
    }
    const visible = [...row.closest('table').querySelectorAll('tr.row:not([hidden])')];
    const next = visible[visible.indexOf(row) + (key === 'ArrowDown' ? 1 : -1)];
    return next && (next.cells[column].querySelector('a') || links(next)[0]);
  }
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const active = document.activeElement;
    if (event.key === 'Escape' && open) {
      close();
      remember();
    } else if (event.key === '/' && !active.matches('input, select')) {
      form.elements.text.focus();
      event.preventDefault();
    } else if (event.key.startsWith('Arrow') && active.matches('tr.row a')) {
      const next = neighbour(active, event.key);
      if (next) next.focus();
      event.preventDefault();
    }
  });

  form.hidden = false;
  readAddress();
})();
