-- Option `columnstore`: a nonclustered columnstore index for analysts' questions over all interactions.
-- Costs:  a second, compressed copy of the columns below, and some work for each write.
-- Needs:  any vCore tier, or S3 and above.
-- Undo:   drop index ix_interaction_columnstore on dbo.interaction;
-- A row changes while its parts arrive: it is compressed an hour after its last change, not before.
if not exists (select 1 from sys.indexes where object_id = object_id(N'dbo.interaction') and name = N'ix_interaction_columnstore')
    create nonclustered columnstore index ix_interaction_columnstore
        on dbo.interaction (
            occurred_at, state, operation, model, vendor, deployment, api_version, streamed, http_status, error_code,
            gateway_refused, prompt_filtered, completion_filtered, truncated,
            subscription_id, product_id, api_id, user_id, app_id, caller_ip, gateway_name, gateway_region, backend_id,
            request_bytes, response_bytes, latency_ms, backend_ms, time_to_first_byte_ms, tool_calls,
            usage_provenance, usage_key, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
            reasoning_tokens, audio_input_tokens, audio_output_tokens, image_input_tokens, image_output_tokens,
            total_tokens, images, seconds, characters
        )
        with (compression_delay = 60, online = on);
