"""Dialects of chat completions: what each endpoint wants, how requests are written for it, what rejections teach."""
