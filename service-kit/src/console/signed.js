// Puts a chosen file's text into the field that its input names with `data-into`: what was signed elsewhere need not be
// pasted by hand. Without this script there is the field alone.
for (const input of document.querySelectorAll('input[type="file"][data-into]')) {
  const field = document.getElementById(input.dataset.into);
  input.closest('[hidden]').hidden = false;
  input.addEventListener('change', async () => {
    const [file] = input.files;
    if (!file || file.size > 65536) return;
    field.value = (await file.text()).trim();
    field.focus();
  });
}
