-- Who may do what in the database. Run once by an Entra administrator, after the first migration; again at any
-- time, and after each release: it only adds. Names of people and apps stand at the end.
--
-- promptledger_app         the functions app: exactly what its statements need, and no right to change the schema
-- promptledger_migrations  the pipeline: the schema, and the rows that a migration moves
-- promptledger_analyst     usage and the facts of calls, without any text or name of a person
-- promptledger_texts       what analysts of texts need beside: how prompts and completions begin, and errors' texts
--
-- No role reads whole content or quarantined bytes: that goes through the audit API, which records each reading.
if database_principal_id(N'promptledger_app') is null create role promptledger_app;
if database_principal_id(N'promptledger_migrations') is null create role promptledger_migrations;
if database_principal_id(N'promptledger_analyst') is null create role promptledger_analyst;
if database_principal_id(N'promptledger_texts') is null create role promptledger_texts;
GO
-- The app. The access log (content_read) is written and read, never changed or removed by it.
grant select, insert on dbo.adjustment to promptledger_app;
grant select, insert on dbo.alert to promptledger_app;
grant select, insert, update on dbo.alert_delivery to promptledger_app;
grant select, insert, update on dbo.alias to promptledger_app;
grant select, insert, update on dbo.assignment to promptledger_app;
grant select, insert, delete on dbo.budget to promptledger_app;
grant select, insert, delete on dbo.budget_block to promptledger_app;
grant select, insert, delete on dbo.budget_state to promptledger_app;
grant select, insert, delete on dbo.capacity_hour to promptledger_app;
grant select, insert, delete on dbo.charge to promptledger_app;
grant select, insert, delete on dbo.claim to promptledger_app;
grant select, insert on dbo.closed_line to promptledger_app;
grant select, insert on dbo.closed_month to promptledger_app;
grant select, insert, delete on dbo.content to promptledger_app;
grant select, insert, update on dbo.content_grant to promptledger_app;
grant select, insert on dbo.content_read to promptledger_app;
grant select, insert, delete on dbo.cost_day to promptledger_app;
grant select, insert, delete on dbo.cost_hour to promptledger_app;
grant select, insert, delete on dbo.delivery to promptledger_app;
grant select, insert, update, delete on dbo.delivery_count to promptledger_app;
grant select, insert, delete on dbo.dirty_capacity to promptledger_app;
grant select, insert, delete on dbo.dirty_hour to promptledger_app;
grant select, insert, delete on dbo.dirty_usage_key to promptledger_app;
grant select, insert, update on dbo.export to promptledger_app;
grant select, insert on dbo.export_part to promptledger_app;
grant select, insert, delete on dbo.finding to promptledger_app;
grant select, insert, delete on dbo.forward_mark to promptledger_app;
grant select, insert, update on dbo.hub_partition to promptledger_app;
grant select, insert, update, delete on dbo.interaction to promptledger_app;
grant select, insert, update on dbo.lease to promptledger_app;
grant select, insert, update on dbo.model_deployment to promptledger_app;
grant insert on dbo.money_change to promptledger_app;
grant select, insert, update on dbo.price to promptledger_app;
grant select, insert on dbo.price_book to promptledger_app;
grant select, insert, update, delete on dbo.quarantine to promptledger_app;
grant insert on dbo.quarantine_action to promptledger_app;
grant select, insert, update on dbo.reservation to promptledger_app;
grant select, insert, update on dbo.reach to promptledger_app;
grant select, insert on dbo.restated_amount to promptledger_app;
grant select, insert, update on dbo.restatement to promptledger_app;
grant select, insert, update, delete on dbo.trait_of_day to promptledger_app;
grant select, insert, update, delete on dbo.trait_of_hour to promptledger_app;
grant select, insert, update, delete on dbo.trait_of_month to promptledger_app;
grant select, insert on dbo.usage_group to promptledger_app;
grant select, insert, update, delete on dbo.usage_of_day to promptledger_app;
grant select, insert, update, delete on dbo.usage_of_hour to promptledger_app;
grant select, insert, update, delete on dbo.usage_of_month to promptledger_app;
grant select, insert, delete on dbo.waiting to promptledger_app;
grant select, insert, delete on dbo.word_entry to promptledger_app;
grant select, delete on dbo.word_mark to promptledger_app;
grant select, insert, update, delete on dbo.word_volume to promptledger_app;
GO
-- The pipeline.
alter role db_ddladmin add member promptledger_migrations;
alter role db_datareader add member promptledger_migrations;
alter role db_datawriter add member promptledger_migrations;
-- Only the option `ledger` needs this one (and this script once more), and a server that knows no ledger refuses it:
-- grant enable ledger to promptledger_migrations;
GO
-- Analysts. Columns by name: what a later release adds stays unseen until it is added here.
grant select on dbo.alert to promptledger_analyst;
grant select on dbo.assignment to promptledger_analyst;
grant select on dbo.adjustment to promptledger_analyst;
grant select on dbo.budget to promptledger_analyst;
grant select on dbo.budget_state to promptledger_analyst;
grant select on dbo.capacity_hour to promptledger_analyst;
grant select on dbo.charge to promptledger_analyst;
grant select on dbo.closed_line to promptledger_analyst;
grant select on dbo.closed_month to promptledger_analyst;
grant select on dbo.cost_day to promptledger_analyst;
grant select on dbo.cost_hour to promptledger_analyst;
grant select on dbo.hub_partition to promptledger_analyst;
grant select on dbo.model_deployment to promptledger_analyst;
grant select on dbo.price to promptledger_analyst;
grant select on dbo.price_book to promptledger_analyst;
grant select on dbo.reservation to promptledger_analyst;
grant select on dbo.restated_amount to promptledger_analyst;
grant select on dbo.restatement to promptledger_analyst;
grant select on dbo.usage_day to promptledger_analyst;
grant select on dbo.usage_hour to promptledger_analyst;
grant select on dbo.usage_month to promptledger_analyst;
grant select on dbo.interaction (
    id, occurred_at, has_request, has_response, gateway_refused, http_status, error_code, operation,
    operation_id, method, path, api_version, deployment, model, streamed, parameters, request_bytes, caller_ip,
    subscription_id, product_id, api_id, user_id, app_id, session_id, end_user_id, client_request_id, tags,
    gateway_name, gateway_region, backend_id, backend_host, attempts, response_headers, response_id,
    response_bytes, latency_ms, backend_ms, time_to_first_byte_ms, finish_reasons, tool_calls, prompt_filtered,
    completion_filtered, filter_categories, truncated, usage_key, input_tokens, cached_input_tokens,
    cache_write_tokens, output_tokens, reasoning_tokens, audio_input_tokens, audio_output_tokens,
    image_input_tokens, image_output_tokens, total_tokens, images, seconds, characters, filter_prompt_hate,
    filter_completion_hate, filter_prompt_sexual, filter_completion_sexual, filter_prompt_violence,
    filter_completion_violence, filter_prompt_self_harm, filter_completion_self_harm, filter_prompt_profanity,
    filter_completion_profanity, filter_prompt_blocklist, filter_completion_blocklist, filter_jailbreak,
    filter_indirect_attack, filter_protected_text, filter_protected_code, requested_model,
    served_deployment, spillover, cached, filter_failed, possible_refusal, unreadable, not_captured, time_replaced,
    callers_differ, unknown_words, service_tier, web_searches, cache_write_1h_tokens, file_searches, code_sessions, state,
    usage_provenance, sources, awaited, vendor
) to promptledger_analyst;
GO
grant select on dbo.interaction (id, occurred_at, prompt_preview, completion_preview, error_message)
    to promptledger_texts;
GO
-- The app's managed identity, the pipeline's identity and a group of analysts, by their names in Entra. Fill in and run:
--
-- create user [promptledger-app] from external provider;
-- alter role promptledger_app add member [promptledger-app];
-- create user [promptledger-pipeline] from external provider;
-- alter role promptledger_migrations add member [promptledger-pipeline];
-- create user [ledger-analysts] from external provider;
-- alter role promptledger_analyst add member [ledger-analysts];
