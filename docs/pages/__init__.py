"""The pages that are written from code, one file a page or a family of pages."""
