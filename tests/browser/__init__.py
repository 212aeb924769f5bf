"""The pages as people meet them: in a real browser, under a strict policy, by mouse and by keys."""
