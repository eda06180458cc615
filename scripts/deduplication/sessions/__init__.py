"""What people read of a conversation: session files in Markdown, one page of HTML, a JSON document."""
