"""The SQL stores: Azure SQL through pyodbc, SQLite embedded; one set of tables for both."""
