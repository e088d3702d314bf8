# tests that belong to nobody alone
